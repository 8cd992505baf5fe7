import { useEffect, useState } from "react";
import { Peaks } from "@/parts/peaks";
import { useAudio } from "@/parts/use-audio";

const MOST_BYTES = 64 << 20; // decoded it is ten times that
const RATE_HZ = 8000; // enough to see it

/** A file to be played and looked at; `peaks` are empty where the browser cannot decode it. */
export function useFileAudio(file: File) {
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
    void peaksOf(file).then((peaks) => left || setPeaks(peaks));
    return () => {
      left = true;
    };
  }, [file]);
  return { audio, progress, peaks };
}

async function peaksOf(file: File): Promise<readonly number[]> {
  if (file.size > MOST_BYTES) return [];
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
