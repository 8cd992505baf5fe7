import { z } from "zod";

const body = z.object({
  error: z.object({
    message: z.string(),
    code: z.string().nullish(),
    param: z.string().nullish(),
  }),
});

const part = z.object({ loc: z.array(z.string()), msg: z.string() });

/** The routes that ElevenLabs has too say no as it does. */
const theirs = z.object({
  detail: z.union([
    z.object({ message: z.string(), status: z.string().nullish() }),
    z
      .tuple([part], part)
      .transform(([{ loc, msg }]) => ({ message: `${loc.join(".")}: ${msg}`, status: null })),
  ]),
});

/** What the server said instead of doing it. */
export class Refusal extends Error {
  override name = "Refusal";

  /** `status` is HTTP's; 0: there was no answer at all. */
  constructor(
    message: string,
    readonly status: number,
    readonly code: string | null = null,
    readonly param: string | null = null,
    readonly retryAfterS: number | null = null,
  ) {
    super(message);
  }
}

/** The refusal in an answer, whose body is `told` (decoded JSON, or text, or nothing). */
export function refusalOf(response: Response, told: unknown): Refusal {
  const wait = Number(response.headers.get("retry-after"));
  const retryAfterS = wait > 0 ? wait : null;
  const other = theirs.safeParse(told);
  if (other.success) {
    const { message, status } = other.data.detail;
    return new Refusal(message, response.status, status ?? null, null, retryAfterS);
  }
  const parsed = body.safeParse(told);
  if (!parsed.success) {
    const text = `The server answered with HTTP ${response.status} ${response.statusText}`.trim();
    return new Refusal(text, response.status, null, null, retryAfterS);
  }
  const { message, code, param } = parsed.data.error;
  return new Refusal(message, response.status, code ?? null, param ?? null, retryAfterS);
}

/** There was no answer. */
export function unreachable(): Refusal {
  return new Refusal(
    "The server does not answer: it may be restarting, or the network is gone.",
    0,
  );
}

/** Any error, in words for who sees it. */
export function said(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
