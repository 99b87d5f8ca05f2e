// `opjob orchestrator …`: the records of orchestrators, without FiftyOne's API. One file a command.
import { Command } from "commander";
import type { Host } from "./host.ts";
import { orchestratorActivateCommand, orchestratorDeactivateCommand } from "./orchestrator-activity.ts";
import { orchestratorDeleteCommand } from "./orchestrator-delete.ts";
import { orchestratorListCommand } from "./orchestrator-list.ts";
import { orchestratorRegisterCommand } from "./orchestrator-register.ts";
import { orchestratorShowCommand } from "./orchestrator-show.ts";
import { orchestratorUpdateCommand } from "./orchestrator-update.ts";

export const orchestratorCommand = (host: Host): Command =>
  new Command("orchestrator")
    .description("The orchestrators of this database: registers, shows and changes them.")
    .addCommand(orchestratorListCommand(host))
    .addCommand(orchestratorShowCommand(host))
    .addCommand(orchestratorRegisterCommand(host))
    .addCommand(orchestratorUpdateCommand(host))
    .addCommand(orchestratorActivateCommand(host))
    .addCommand(orchestratorDeactivateCommand(host))
    .addCommand(orchestratorDeleteCommand(host));
