import { Store } from "@/store";

/** Whether the server answers, as far as the last request knows. */
export const reachable = new Store(true);
