import { z } from "zod";

/** One argument of a tool, as a form shows it. */
export interface Parameter {
  name: string;
  type: string;
  description: string;
  required: boolean;
  /** What else its schema says; it stays as it is. */
  more: { [keyword: string]: unknown };
}

export const TYPES = ["string", "number", "integer", "boolean", "array", "object"] as const;

const property = z
  .object({ type: z.enum(TYPES), description: z.string().optional() })
  .passthrough();

const schema = z
  .object({
    type: z.literal("object"),
    properties: z.record(z.string(), property).optional(),
    required: z.array(z.string()).optional(),
    additionalProperties: z.boolean().optional(),
  })
  .strict();

/** The arguments in a JSON Schema; null where it says more than a form can. */
export function parametersOf(given: unknown): Parameter[] | null {
  if (given === undefined) return [];
  const parsed = schema.safeParse(given);
  if (!parsed.success) return null;
  const { properties = {}, required = [] } = parsed.data;
  if (required.some((name) => !(name in properties))) return null;
  return Object.entries(properties).map(([name, { type, description = "", ...more }]) => ({
    name,
    type,
    description,
    required: required.includes(name),
    more,
  }));
}

/** The JSON Schema of these; what `before` says of other arguments stays. */
export function schemaOf(parameters: readonly Parameter[], before: unknown) {
  const properties = Object.fromEntries(
    parameters.map(({ name, type, description, more }) => [
      name,
      { type, ...(description ? { description } : {}), ...more },
    ]),
  );
  const required = parameters.filter(({ required }) => required).map(({ name }) => name);
  const others = schema.safeParse(before).data?.additionalProperties;
  return {
    type: "object",
    ...(parameters.length ? { properties } : {}),
    ...(required.length ? { required: [...new Set(required)] } : {}),
    ...(others === undefined ? {} : { additionalProperties: others }),
  };
}
