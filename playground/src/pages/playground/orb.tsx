import { useEffect, useRef } from "react";

export type Mood = "rest" | "caller" | "thinking" | "agent" | "lost";

interface Props {
  mood: Mood;
  /** How loud whoever speaks is now, 0 to 1. */
  level: () => number;
  className?: string;
}

/** The lights inside, by mood: hue, and how much of it there is. */
const HUES: Record<Mood, readonly [number, number, number]> = {
  rest: [292, 280, 322],
  caller: [215, 190, 265],
  thinking: [292, 255, 325],
  agent: [300, 340, 275],
  lost: [60, 40, 80],
};

const CHROMA: Record<Mood, number> = {
  rest: 0.17,
  caller: 0.14,
  thinking: 0.19,
  agent: 0.22,
  lost: 0.12,
};

/** Who has the floor, as a sphere of light that moves with the voice. Only to be looked at. */
export function Orb({ mood, level, className }: Props) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const now = useRef({ mood, level });
  now.current = { mood, level };
  useEffect(() => {
    const element = canvas.current;
    const pen = element?.getContext("2d");
    if (!element || !pen) return;
    const still = matchMedia("(prefers-reduced-motion: reduce)");
    const light = new Light();
    let frame = 0;
    const draw = (ms: number) => {
      const { mood, level } = now.current;
      sized(element);
      light.step(mood, still.matches ? 0 : level());
      light.draw(pen, still.matches ? 0 : ms / 1000, element.width);
      frame = requestAnimationFrame(draw);
    };
    frame = requestAnimationFrame(draw);
    return () => cancelAnimationFrame(frame);
  }, []);
  return <canvas ref={canvas} aria-hidden className={className} />;
}

function sized(element: HTMLCanvasElement) {
  const wanted = Math.round(element.clientWidth * Math.min(2, devicePixelRatio));
  if (element.width !== wanted) element.width = element.height = wanted;
}

class Light {
  private loud = 0;
  private hues = [...HUES.rest];
  private chroma = CHROMA.rest;
  private busy = 0;

  /** One frame nearer to what is. */
  step(mood: Mood, level: number) {
    this.loud += (level - this.loud) * (level > this.loud ? 0.35 : 0.09);
    this.hues = this.hues.map((hue, index) => hue + ((HUES[mood][index] ?? hue) - hue) * 0.08);
    this.chroma += (CHROMA[mood] - this.chroma) * 0.08;
    this.busy += ((mood === "thinking" ? 1 : 0) - this.busy) * 0.08;
  }

  draw(pen: CanvasRenderingContext2D, t: number, size: number) {
    const middle = size / 2;
    const radius = size * (0.3 + 0.012 * Math.sin(t * 0.9) + 0.055 * this.loud);
    pen.clearRect(0, 0, size, size);
    pen.save();
    pen.translate(middle, middle);
    this.halo(pen, radius, middle);
    this.outline(pen, radius, t);
    pen.clip();
    this.body(pen, radius);
    this.lights(pen, radius, t);
    this.sheen(pen, radius);
    pen.restore();
    if (this.busy > 0.02) this.arc(pen, middle, radius, t);
  }

  private colour(index: number, lightness: number, alpha: number): string {
    return `oklch(${lightness} ${this.chroma} ${this.hues[index] ?? 292} / ${alpha})`;
  }

  private halo(pen: CanvasRenderingContext2D, radius: number, middle: number) {
    const glow = pen.createRadialGradient(0, 0, radius * 0.7, 0, 0, middle);
    glow.addColorStop(0, this.colour(0, 0.62, 0.42 + 0.4 * this.loud));
    glow.addColorStop(0.4, this.colour(0, 0.64, 0.13 + 0.18 * this.loud));
    glow.addColorStop(1, this.colour(0, 0.62, 0));
    pen.fillStyle = glow;
    pen.fillRect(-middle, -middle, middle * 2, middle * 2);
  }

  private outline(pen: CanvasRenderingContext2D, radius: number, t: number) {
    const wave = 0.008 + 0.055 * this.loud;
    pen.beginPath();
    for (let step = 0; step <= 120; step += 1) {
      const angle = (step / 120) * Math.PI * 2;
      const sum =
        Math.sin(3 * angle + t * 1.5) +
        0.6 * Math.sin(5 * angle - t * 2.1) +
        0.8 * Math.sin(2 * angle + t * 0.8);
      const reach = radius * (1 + (wave * sum) / 2.4);
      pen.lineTo(Math.cos(angle) * reach, Math.sin(angle) * reach);
    }
    pen.closePath();
  }

  private body(pen: CanvasRenderingContext2D, radius: number) {
    const depth = pen.createRadialGradient(-radius * 0.35, -radius * 0.45, 0, 0, 0, radius * 1.15);
    depth.addColorStop(0, this.colour(2, 0.82, 1));
    depth.addColorStop(0.42, this.colour(0, 0.58, 1));
    depth.addColorStop(0.8, this.colour(1, 0.42, 1));
    depth.addColorStop(1, this.colour(0, 0.52, 1)); // light that comes through from behind
    pen.fillStyle = depth;
    pen.fillRect(-radius * 1.3, -radius * 1.3, radius * 2.6, radius * 2.6);
  }

  private lights(pen: CanvasRenderingContext2D, radius: number, t: number) {
    pen.globalCompositeOperation = "screen";
    for (let index = 0; index < 3; index += 1) {
      const speed = 0.35 + index * 0.17;
      const x = Math.cos(t * speed + index * 2.1) * radius * 0.5;
      const y = Math.sin(t * speed * 1.3 + index * 1.7) * radius * 0.5;
      const reach = radius * (0.75 + 0.25 * Math.sin(t * 0.6 + index) + 0.3 * this.loud);
      const glow = pen.createRadialGradient(x, y, 0, x, y, reach);
      glow.addColorStop(0, this.colour(index, 0.74, 0.5 + 0.3 * this.loud));
      glow.addColorStop(1, this.colour(index, 0.6, 0));
      pen.fillStyle = glow;
      pen.fillRect(-radius * 1.3, -radius * 1.3, radius * 2.6, radius * 2.6);
    }
    pen.globalCompositeOperation = "source-over";
  }

  private sheen(pen: CanvasRenderingContext2D, radius: number) {
    const [x, y] = [-radius * 0.28, -radius * 0.6];
    const top = pen.createRadialGradient(x, y, 0, x, y, radius * 0.62);
    top.addColorStop(0, "oklch(1 0 0 / 0.42)");
    top.addColorStop(0.5, "oklch(1 0 0 / 0.12)");
    top.addColorStop(1, "oklch(1 0 0 / 0)");
    pen.fillStyle = top;
    pen.fillRect(-radius * 1.3, -radius * 1.3, radius * 2.6, radius * 2.6);
    pen.lineWidth = radius * 0.07;
    pen.strokeStyle = "oklch(1 0 0 / 0.16)";
    pen.stroke();
  }

  private arc(pen: CanvasRenderingContext2D, middle: number, radius: number, t: number) {
    pen.beginPath();
    pen.arc(middle, middle, radius * 1.22, t * 2.4, t * 2.4 + Math.PI * 0.6);
    pen.lineWidth = radius * 0.045;
    pen.lineCap = "round";
    pen.strokeStyle = this.colour(0, 0.66, 0.8 * this.busy);
    pen.stroke();
  }
}
