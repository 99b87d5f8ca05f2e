// What a command is given of the process that it runs in: main.ts alone knows `process`.
import type { Surroundings } from "../place.ts";

/** What a command may know of the process that it runs in. */
export type Host = {
  /** Where the entry lies: files that are shipped beside it are found from here, bundled or not. */
  readonly entry: URL;
  readonly environment: NodeJS.ProcessEnv;
  readonly surroundings: Surroundings;
  readonly stdin: NodeJS.ReadStream;
  readonly stdout: NodeJS.WriteStream;
  readonly stderr: NodeJS.WriteStream;
  /** Resolves with the signal's name at the first SIGTERM or SIGINT. */
  readonly stopped: Promise<string>;
  /** The exit code once the command is done; without it 0. */
  readonly endWith: (code: number) => void;
  /** Ends the process now. */
  readonly exit: (code: number) => never;
};
