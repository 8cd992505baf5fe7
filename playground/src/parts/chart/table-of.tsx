import { type Row, type Series, thinned } from "./data";

interface Props {
  name: string;
  of: string;
  series: readonly Series[];
  rows: readonly Row[];
  place: (x: Row["x"]) => string;
  value: (value: number) => string;
  mostRows: number;
}

/** What the picture shows, for who hears it. */
export function TableOf({ name, of, series, rows, place, value, mostRows }: Props) {
  return (
    <div className="sr-only">
      <table>
        <caption>{name}</caption>
        <thead>
          <tr>
            <th scope="col">{of}</th>
            {series.map((one) => (
              <th key={one.name} scope="col">
                {one.name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {thinned(rows, mostRows).map((row) => (
            <tr key={row.x}>
              <th scope="row">{place(row.x)}</th>
              {series.map((one, index) => {
                const amount = row.values[index];
                return <td key={one.name}>{amount == null ? "not known" : value(amount)}</td>;
              })}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
