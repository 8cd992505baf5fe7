import { useEffect, useState } from "react";
import { Peaks } from "@/parts/peaks";
import { useAudio } from "@/parts/use-audio";

const LONGEST_S = 3600; // decoded it is 700 MB for a moment, at the rate that it has
const RATE_HZ = 8000; // enough to see it

/** Of files that were looked at: decoding takes a while. */
const known = new WeakMap<File, Promise<readonly number[]>>();

/** A file to be played and looked at; `peaks` are empty of one that is too long, or cannot be decoded. */
export function useFileAudio(file: File, lengthS: number) {
  const { audio, progress } = useAudio();
  const [peaks, setPeaks] = useState<readonly number[]>([]);
  useEffect(() => {
    const element = audio.current;
    if (!element) return;
    const address = URL.createObjectURL(file);
    element.src = address;
    return () => URL.revokeObjectURL(address);
  }, [file, audio]);
  useEffect(() => {
    let left = false;
    if (lengthS > LONGEST_S) return;
    const looked = known.get(file) ?? peaksOf(file);
    known.set(file, looked);
    void looked.then((peaks) => left || setPeaks(peaks));
    return () => {
      left = true;
    };
  }, [file, lengthS]);
  return { audio, progress, peaks };
}

async function peaksOf(file: File): Promise<readonly number[]> {
  try {
    const context = new OfflineAudioContext(1, 1, RATE_HZ);
    const sound = await context.decodeAudioData(await file.arrayBuffer());
    const peaks = new Peaks(RATE_HZ);
    peaks.add(sound.getChannelData(0));
    return peaks.values;
  } catch {
    return []; // of a kind that the server reads, and this browser does not
  }
}
