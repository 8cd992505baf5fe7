const LOOK_MS = 500;
const QUIET_MS = 2000; // then the other side is asked
const FALTERING_MS = 1500; // without an answer
const PATIENCE_MS = 6000; // a line that is back after three seconds may take as many to be used again

interface PulseUser {
  /** Ask the server something, so that anything comes. */
  ask(): void;
  steady(is: boolean): void;
  lost(): void;
}

/** Whether anything still comes through: of a dead line a browser tells late, or never. */
export class Pulse {
  private heardAt = performance.now();
  private askedAt: number | null = null; // nothing has come since
  private faltering = false;
  private readonly timer = setInterval(() => this.look(), LOOK_MS);

  constructor(private readonly user: PulseUser) {}

  /** Something came. */
  beat(): void {
    this.heardAt = performance.now();
    this.askedAt = null;
    if (this.faltering) this.user.steady(true);
    this.faltering = false;
  }

  stop(): void {
    clearInterval(this.timer);
  }

  private look(): void {
    const now = performance.now();
    if (this.askedAt === null) {
      if (now - this.heardAt < QUIET_MS) return;
      this.askedAt = now; // a page that slept asks before it judges
      this.user.ask();
      return;
    }
    const waitedMs = now - this.askedAt;
    if (waitedMs >= FALTERING_MS && !this.faltering) {
      this.faltering = true;
      this.user.steady(false);
    }
    if (waitedMs >= PATIENCE_MS) this.user.lost();
  }
}
