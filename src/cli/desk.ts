// A desk for a command that answers a question: opened, handed over, closed; whatever happens in between.
import { type Desk, openDesk } from "../inquiries/desk.ts";
import { endAtSignal, withDatabase } from "./database.ts";
import type { Host } from "./host.ts";

type DeskHost = Pick<Host, "environment" | "surroundings" | "stopped" | "exit">;

/** @throws OpjobError SETTING_INVALID, DATABASE_…, and whatever the answer throws */
export async function atDesk<T>(host: DeskHost, answer: (desk: Desk) => Promise<T>): Promise<T> {
  endAtSignal(host);
  return withDesk(host, answer);
}

/** As `atDesk`, for an answer that goes on until the person stops it. */
export async function withDesk<T>(host: DeskHost, answer: (desk: Desk) => Promise<T>): Promise<T> {
  const { environment, surroundings } = host;
  return withDatabase(host, async (opened) => {
    await using closers = new AsyncDisposableStack();
    // Awaited here: the clusters are closed as soon as this ends.
    return await answer(await openDesk({ ...opened, environment, surroundings, now: Date.now() }, closers));
  });
}
