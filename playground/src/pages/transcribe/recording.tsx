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
  const [asking, setAsking] = useState(false);
  const [error, setError] = useState<string>();
  const gone = useRef(false);
  useEffect(() => {
    gone.current = false;
    return () => {
      gone.current = true;
      recorder.current?.stop();
    };
  }, []);

  const begin = async () => {
    setError(undefined);
    setAsking(true);
    let stream: MediaStream | null = null;
    try {
      const opened = await openMicrophone(null);
      stream = opened;
      if (gone.current) return stop(stream);
      const made = new MediaRecorder(opened);
      const pieces: Blob[] = [];
      made.ondataavailable = ({ data }) => pieces.push(data);
      made.onstop = () => {
        stop(opened);
        recorder.current = null;
        if (gone.current) return;
        setBeganAt(null);
        const type = made.mimeType.split(";")[0] ?? "audio/webm";
        const ending = type.split("/")[1] ?? "webm";
        done(new File(pieces, `recording.${ending}`, { type }));
      };
      made.start();
      recorder.current = made;
      setBeganAt(Date.now());
    } catch (refused) {
      stop(stream);
      setError(said(refused));
    } finally {
      setAsking(false);
    }
  };

  return (
    <div className="flex flex-col items-center gap-3">
      {beganAt === null ? (
        <Button disabled={asking} onClick={() => void begin()}>
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

function stop(stream: MediaStream | null): void {
  for (const track of stream?.getTracks() ?? []) track.stop();
}

function Clock({ since }: { since: number }) {
  const [now, setNow] = useState(since);
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), LOOK_MS);
    return () => clearInterval(timer);
  }, []);
  return <span className="figures">{duration(now - since)}</span>;
}
