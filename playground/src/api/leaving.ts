/** Who keeps what the next one to sign in must not see. `deliberate`: they asked to be signed out. */
type Task = (deliberate: boolean) => void;

const tasks: Task[] = [];

/** Do this as somebody signs out, or is signed out. */
export function onLeaving(task: Task): void {
  tasks.push(task);
}

export function left(deliberate: boolean): void {
  for (const task of tasks) task(deliberate);
}
