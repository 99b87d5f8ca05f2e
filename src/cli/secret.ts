// `opjob secret …`: FiftyOne's encrypted secrets, without FiftyOne's API. One file a command.
import { Command } from "commander";
import type { Host } from "./host.ts";
import { secretCheckCommand } from "./secret-check.ts";
import { secretDeleteCommand } from "./secret-delete.ts";
import { secretListCommand } from "./secret-list.ts";
import { secretReencryptCommand } from "./secret-reencrypt.ts";
import { secretRotateCommand } from "./secret-rotate.ts";
import { secretSetCommand } from "./secret-set.ts";
import { secretShowCommand } from "./secret-show.ts";

export const secretCommand = (host: Host): Command =>
  new Command("secret")
    .description("FiftyOne's encrypted secrets: makes, lists, rotates and re-encrypts them.")
    .addCommand(secretListCommand(host))
    .addCommand(secretShowCommand(host))
    .addCommand(secretSetCommand(host))
    .addCommand(secretRotateCommand(host))
    .addCommand(secretDeleteCommand(host))
    .addCommand(secretCheckCommand(host))
    .addCommand(secretReencryptCommand(host));
