import { useId } from "react";

interface Props<T extends string> {
  label: string;
  options: readonly (readonly [T, string])[];
  value: T;
  onChange: (value: T) => void;
}

/** One of a few, all of them in sight. */
export function Segments<T extends string>({ label, options, value, onChange }: Props<T>) {
  const group = useId();
  return (
    <fieldset className="inline-flex items-center gap-1 rounded-field bg-sunken p-1">
      <legend className="sr-only">{label}</legend>
      {options.map(([one, name]) => (
        <label
          key={one}
          className="inline-flex h-8 flex-1 cursor-pointer items-center justify-center rounded-lg px-3 font-medium text-[0.8125rem] text-soft transition-[background,color,box-shadow] duration-150 hover:text-ink has-checked:bg-solid has-checked:text-ink has-checked:shadow-glass has-focus-visible:outline-2 has-focus-visible:outline-royal-ink"
        >
          <input
            type="radio"
            name={group}
            className="sr-only"
            checked={one === value}
            onChange={() => onChange(one)}
          />
          {name}
        </label>
      ))}
    </fieldset>
  );
}
