import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { answer, api } from "./client";
import { reachable } from "./reach";
import { type Refusal, refusalOf } from "./refusal";
import { enter, signIn } from "./web-session";

const asked = vi.fn<typeof fetch>();

const session = {
  key: { id: "key_1", name: "mine", prefix: "vf_abc" },
  account_id: "acc_1",
  account_name: "",
  scopes: ["realtime"],
  csrf_token: "token",
};

const json = (body: unknown, status = 200, headers = {}) =>
  new Response(JSON.stringify(body), {
    status,
    headers: { "content-type": "application/json", ...headers },
  });

beforeEach(() => {
  vi.stubGlobal("fetch", asked);
  window.fetch = asked;
  asked.mockReset();
  signIn.set({ at: "in", session });
});

afterEach(() => {
  vi.unstubAllGlobals();
  reachable.set(true);
});

const refused = (promise: Promise<unknown>) =>
  promise.then(
    () => null,
    (error) => error as Refusal,
  );

test("what changes something carries the token, what only reads does not", async () => {
  asked.mockImplementation(async () => json({ data: [], has_more: false }));
  await api.GET("/v1/agents");
  await api.POST("/v1/agents", { body: { name: "x" } });
  const tokens = asked.mock.calls.map(([request]) =>
    (request as Request).headers.get("x-csrf-token"),
  );
  expect(tokens).toEqual([null, "token"]);
});

test("a refusal says what the server said", async () => {
  const error = {
    type: "invalid_request_error",
    code: "wrong",
    message: "the name is empty",
    param: "name",
  };
  asked.mockResolvedValue(json({ error }, 400));
  const told = await refused(answer(api.POST("/v1/agents", { body: { name: "" } })));
  expect(told).toMatchObject({
    status: 400,
    code: "wrong",
    message: "the name is empty",
    param: "name",
  });
});

test("a refusal of another shape still says something", () => {
  const response = new Response("<html>", { status: 502, statusText: "Bad Gateway" });
  expect(refusalOf(response, "<html>").message).toBe(
    "The server answered with HTTP 502 Bad Gateway",
  );
});

test("routes that ElevenLabs has too say no as it does", () => {
  const said = (detail: unknown) => refusalOf(json({}, 404), { detail });
  expect(said({ status: "voice_not_found", message: "there is no voice 'x'" })).toMatchObject({
    message: "there is no voice 'x'",
    code: "voice_not_found",
  });
  expect(said([{ loc: ["body", "rules"], msg: "too short", type: "value_error" }]).message).toBe(
    "body.rules: too short",
  );
});

test("when to try again is kept", () => {
  const response = json({ error: { message: "full" } }, 503, { "retry-after": "7" });
  expect(refusalOf(response, { error: { message: "full" } }).retryAfterS).toBe(7);
});

test("a key that no longer works leads back to the sign-in, which says why", async () => {
  asked.mockResolvedValue(json({ error: { message: "revoked" } }, 401));
  await refused(answer(api.GET("/v1/agents")));
  expect(signIn.get()).toMatchObject({ at: "out", because: expect.stringContaining("revoked") });
});

test("without an answer the server is said to be out of reach, until there is one", async () => {
  asked.mockRejectedValueOnce(new TypeError("Failed to fetch"));
  expect(await refused(answer(api.GET("/v1/agents")))).toMatchObject({ status: 0 });
  expect(reachable.get()).toBe(false);
  asked.mockResolvedValue(json({ data: [], has_more: false }));
  await answer(api.GET("/v1/agents"));
  expect(reachable.get()).toBe(true);
});

test("a wrong key is told so, and nobody is signed in", async () => {
  signIn.set({ at: "out" });
  asked.mockResolvedValue(json({ error: { message: "no such key" } }, 401));
  expect(await refused(enter("vf_wrong"))).toMatchObject({ message: "no such key" });
  expect(signIn.get()).toEqual({ at: "out" });
});
