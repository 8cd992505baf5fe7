import { useId } from "react";
import {
  Area,
  Bar,
  CartesianGrid,
  ComposedChart,
  Line,
  ReferenceLine,
  Tooltip,
  XAxis,
  YAxis,
} from "recharts";
import type { Mark, Row, Series } from "./data";
import { Legend } from "./legend";
import { TableOf } from "./table-of";
import { Tip } from "./tip";

interface Props {
  /** What it shows; a screen reader says it. */
  name: string;
  /** What the places on the horizontal axis are, for the table's head. */
  of: string;
  series: readonly Series[];
  rows: readonly Row[];
  /** A value in full. */
  value: (value: number) => string;
  /** A value beside the axis. */
  tick: (value: number) => string;
  /** A place in full. */
  place: (x: Row["x"]) => string;
  /** A place below the axis; without it as in full. */
  placeTick?: (x: Row["x"]) => string;
  /** Which places are named below the axis; and from the first to the last of them it goes. */
  ticks?: readonly number[];
  /** Of what there are no halves. */
  whole?: boolean;
  marks?: readonly Mark[];
  height?: number;
  /** The highest value that there may be, where that is known. */
  top?: number;
  /** It changes all the time: nothing moves by itself. */
  live?: boolean;
  /** Only the picture, for a place where words stand around it. */
  bare?: boolean;
}

const TICK = { fill: "var(--ink-soft)", fontSize: 12 };

/**
 * Values over places, of one kind or several: columns and areas stand on each other, lines do not.
 * Arrow keys go from place to place; a table says the same.
 */
export function Chart(props: Props) {
  const { name, series, rows, marks = [], tick, place, height = 224, top, live, bare } = props;
  const id = useId().replaceAll(":", "");
  const last = series.findLastIndex(({ as }) => as === "bar");
  return (
    <figure className="relative flex flex-col gap-3">
      <ComposedChart
        responsive
        data={[...rows]}
        style={{ width: "100%", height }}
        margin={bare ? NONE : MARGIN}
        accessibilityLayer={!bare}
        aria-label={name}
        role={bare ? "img" : "application"}
        barCategoryGap="18%"
        maxBarSize={44}
      >
        <defs>
          {series.map((one, index) => (
            <Hatch key={one.name} id={`${id}-${index}`} color={one.color} />
          ))}
        </defs>
        {bare ? null : <CartesianGrid vertical={false} stroke="var(--edge)" />}
        <XAxis
          dataKey="x"
          hide={bare ?? false}
          type={typeof rows[0]?.x === "number" ? "number" : "category"}
          domain={[props.ticks?.[0] ?? "dataMin", props.ticks?.at(-1) ?? "dataMax"]}
          {...(props.ticks ? { ticks: props.ticks } : {})}
          tickFormatter={props.placeTick ?? place}
          tick={TICK}
          tickLine={false}
          axisLine={{ stroke: "var(--edge-strong)" }}
          minTickGap={28}
          tickMargin={6}
        />
        <YAxis
          hide={bare ?? false}
          width="auto"
          domain={[0, top ?? "auto"]}
          tickFormatter={tick}
          tick={TICK}
          tickLine={false}
          axisLine={false}
          {...(top ? { ticks: [0, top / 2, top] } : { tickCount: 4 })}
          interval={0}
          allowDecimals={!props.whole}
        />
        {bare ? null : (
          <Tooltip
            isAnimationActive={false}
            filterNull={false}
            wrapperStyle={{ zIndex: 10, outline: "none" }}
            cursor={{ stroke: "var(--edge-strong)", fill: "var(--royal-tint)" }}
            content={({ active, activeIndex }) => (
              <Tip
                row={active ? rows[Number(activeIndex)] : undefined}
                series={series}
                place={place}
                value={props.value}
              />
            )}
          />
        )}
        {series.map((one, index) =>
          drawn(one, index, {
            fill: one.hatched ? `url(#${id}-${index})` : one.color,
            moves: !live && !bare,
            onTop: index === last,
          }),
        )}
        {marks.map((mark) => (
          <ReferenceLine
            key={mark.name}
            {...(mark.x === undefined ? {} : { x: mark.x })}
            {...(mark.y === undefined ? {} : { y: mark.y })}
            ifOverflow="extendDomain"
            stroke={mark.color}
            strokeDasharray="4 4"
            strokeWidth={1.5}
          />
        ))}
      </ComposedChart>
      {bare ? null : (
        <>
          <Legend series={series} marks={marks} />
          <TableOf {...props} mostRows={live ? 12 : 100} />
        </>
      )}
    </figure>
  );
}

interface Look {
  fill: string;
  moves: boolean;
  onTop: boolean;
}

function drawn({ name, as, color }: Series, index: number, { fill, moves, onTop }: Look) {
  const shared = {
    name,
    dataKey: (row: Row) => row.values[index],
    isAnimationActive: moves ? ("auto" as const) : false, // not where less motion is asked for
    animationDuration: 450,
  };
  switch (as) {
    case "bar":
      return (
        <Bar
          key={name}
          {...shared}
          stackId="all"
          fill={fill}
          {...(onTop ? { radius: [4, 4, 0, 0] as const } : {})}
        />
      );
    case "area":
      return (
        <Area
          key={name}
          {...shared}
          stackId="all"
          type="monotone"
          stroke={color}
          strokeWidth={1.75}
          fill={color}
          fillOpacity={0.16}
          dot={false}
          activeDot={{ r: 3.5, strokeWidth: 0 }}
        />
      );
    case "line":
      return (
        <Line
          key={name}
          {...shared}
          type="monotone"
          stroke={color}
          strokeWidth={2}
          dot={moves ? { r: 3, strokeWidth: 0, fill: color } : false}
          activeDot={{ r: 4.5, strokeWidth: 0 }}
        />
      );
  }
}

const MARGIN = { top: 8, right: 8, bottom: 0, left: 0 };
const NONE = { top: 2, right: 0, bottom: 2, left: 0 };

function Hatch({ id, color }: { id: string; color: string }) {
  return (
    <pattern
      id={id}
      width="7"
      height="7"
      patternUnits="userSpaceOnUse"
      patternTransform="rotate(-45)"
    >
      <rect width="7" height="7" fill={color} fillOpacity="0.22" />
      <rect width="7" height="3" fill={color} fillOpacity="0.75" />
    </pattern>
  );
}
