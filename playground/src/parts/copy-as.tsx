import { type ApiCall, asCode, LANGUAGES } from "./as-code";
import { CodeDialog } from "./code-dialog";

/** The call behind what is shown, to be copied. */
export function CopyAs({ call }: { call: ApiCall }) {
  const codes = LANGUAGES.map((one) => [one, () => asCode(call, one, window.location.origin)]);
  return (
    <CodeDialog
      title={`${call.method} ${call.path.split("?")[0]}`}
      about="The same call, with a key of yours in VOICEFORGE_API_KEY."
      codes={Object.fromEntries(codes)}
    />
  );
}
