import { Store } from "@/store";

/** Whether a call is under way: for who must not load all of a call to know. */
export const underWay = new Store(false);
