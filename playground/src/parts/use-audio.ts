import { type RefObject, useEffect, useRef, useState } from "react";

export interface Progress {
  playing: boolean;
  atS: number;
  /** 0 until it is known. */
  lengthS: number;
}

const STILL: Progress = { playing: false, atS: 0, lengthS: 0 };
const EVENTS = ["play", "pause", "timeupdate", "durationchange", "seeked", "emptied"];

/** An audio element, and how far it is. */
export function useAudio(): { audio: RefObject<HTMLAudioElement>; progress: Progress } {
  const audio = useRef<HTMLAudioElement>(null);
  const [progress, setProgress] = useState(STILL);
  useEffect(() => {
    const element = audio.current;
    if (!element) return;
    const look = () => {
      const lengthS = Number.isFinite(element.duration) ? element.duration : 0;
      setProgress({ playing: !element.paused, atS: element.currentTime, lengthS });
    };
    for (const event of EVENTS) element.addEventListener(event, look);
    return () => {
      for (const event of EVENTS) element.removeEventListener(event, look);
    };
  }, []);
  return { audio, progress };
}
