// Plays one plan to its end: until everything has come to rest, or something was violated. The only way in.
import type { Violation } from "./checks/checks.ts";
import { type Daemons, runDaemons, SWEEP } from "./daemons.ts";
import { letIncidentsHappen } from "./incidents.ts";
import { takeNotSimulated } from "./not-simulated.ts";
import type { Plan } from "./plan.ts";
import { forbidRealTime } from "./real-time.ts";
import { drained } from "./time.ts";
import { kubeconfigs, letPeopleAct } from "./users.ts";
import { createWorld, type World } from "./world.ts";

export type Outcome = {
  readonly violation: Violation | undefined;
  readonly hash: string;
  readonly trace: readonly string[];
  readonly steps: number;
  /** Simulated milliseconds. */
  readonly elapsed: number;
};

/**
 * After the plan's end everything must have come to rest within so long (ms): above the longest patience of all. Where few may be
 * in flight, one waits for the other's.
 */
const restWithin = ({ limit = 0, operations }: Plan): number => 2_400_000 * (limit > 0 ? operations.length : 1);
/** Rest is looked for so often, and must last for two sweeps (ms). */
const LOOK_EVERY = 5_000;
const REST_LASTS = 2 * SWEEP + 5_000;

export async function simulate(plan: Plan): Promise<Outcome> {
  using _ = forbidRealTime();
  const world = createWorld(plan);
  const { time, checks, trace } = world;
  letPeopleAct(world);
  letIncidentsHappen(world);
  const daemons = runDaemons(world, kubeconfigs(world));
  const rest = { since: undefined as number | undefined, next: plan.horizonMs };
  let look = LOOK_EVERY;
  let steps = 0;
  while (checks.first === undefined && time.step()) {
    steps++;
    await drained();
    const missing = takeNotSimulated();
    if (missing) throw missing;
    checks.step();
    if (time.elapsed >= look) {
      look = time.elapsed + LOOK_EVERY;
      checks.look();
    }
    if (time.elapsed >= rest.next && (await isAtRest(world, daemons, rest))) break;
  }
  return { violation: checks.first, hash: trace.hash(), trace: trace.lines, steps, elapsed: time.elapsed };
}

type Rest = { since: number | undefined; next: number };

/** true: it has been at rest for long enough. A violation when it does not come. */
async function isAtRest({ time, checks, plan }: World, daemons: Daemons, rest: Rest): Promise<boolean> {
  rest.next = time.elapsed + LOOK_EVERY;
  const running = daemons.living().flatMap(({ daemon }) => daemon ?? []);
  const complaints = await checks.complaints(running);
  if (complaints.length === 0) {
    rest.since ??= time.elapsed;
    return time.elapsed - rest.since >= REST_LASTS;
  }
  rest.since = undefined;
  if (time.elapsed > plan.horizonMs + restWithin(plan))
    checks.violated("everything comes to rest", complaints.join("; "));
  return false;
}
