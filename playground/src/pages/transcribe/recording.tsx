import { Mic, Square } from "lucide-react";
import { useEffect, useRef, useState } from "react";
import { said } from "@/api/refusal";
import { duration } from "@/parts/figures";
import { openMicrophone } from "@/realtime/microphone";
import { Button } from "@/ui/button";
import { Notice } from "@/ui/notice";

const LOOK_MS = 250;

/** Records with the microphone, until it is stopped. */
export function Recording({ done }: { done: (file: File) => void }) {
  const recorder = useRef<MediaRecorder | null>(null);
  const [beganAt, setBeganAt] = useState<number | null>(null);
  const [error, setError] = useState<string>();
  useEffect(() => () => recorder.current?.stop(), []);

  const begin = async () => {
    setError(undefined);
    try {
      const stream = await openMicrophone(null);
      const made = new MediaRecorder(stream);
      const pieces: Blob[] = [];
      made.ondataavailable = ({ data }) => pieces.push(data);
      made.onstop = () => {
        for (const track of stream.getTracks()) track.stop();
        recorder.current = null;
        setBeganAt(null);
        const type = made.mimeType.split(";")[0] ?? "audio/webm";
        const ending = type.split("/")[1] ?? "webm";
        done(new File(pieces, `recording.${ending}`, { type }));
      };
      made.start();
      recorder.current = made;
      setBeganAt(Date.now());
    } catch (refused) {
      setError(said(refused));
    }
  };

  return (
    <div className="flex flex-col items-center gap-3">
      {beganAt === null ? (
        <Button onClick={() => void begin()}>
          <Mic aria-hidden /> Record with the microphone
        </Button>
      ) : (
        <Button variant="danger" onClick={() => recorder.current?.stop()}>
          <Square aria-hidden /> Stop, at <Clock since={beganAt} />
        </Button>
      )}
      {error ? (
        <Notice kind="bad" title="Not recorded">
          {error}
        </Notice>
      ) : null}
    </div>
  );
}

function Clock({ since }: { since: number }) {
  const [now, setNow] = useState(since);
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), LOOK_MS);
    return () => clearInterval(timer);
  }, []);
  return <span className="figures">{duration(now - since)}</span>;
}
