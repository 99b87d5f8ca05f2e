// What is checked before an orchestrator is written: its template as far as it can be read here, its kubeconfig by its text.
import { isAbsolute } from "node:path";
import { accessFromText } from "../clusters/kubeconfig.ts";
import { type Config, readConfig } from "../config.ts";
import { OpjobError } from "../errors.ts";
import type { Checks } from "../orchestrators/registration.ts";
import { SETTINGS } from "../settings.ts";
import { parseLocation } from "../templates/location.ts";
import { compileTemplate } from "../templates/render.ts";
import type { Host } from "./host.ts";
import { readText } from "./value.ts";

const ID = "0123456789abcdef01234567";
/** An operation that nobody queued: only whether the template gives a Job at all is asked. */
const MADE_UP = {
  _id: ID,
  _name: `operator-${ID}`,
  _image: "example/image:1",
  _command: SETTINGS.workerCommand.default,
  _args: SETTINGS.workerArgs.default,
};

/** Checks that change nothing and reach nobody. */
export function vetting({ allowExecCredentials }: Pick<Config, "allowExecCredentials">): Checks {
  return {
    template(uri) {
      const location = parseLocation(uri);
      if (location.kind === "file" && !isAbsolute(location.path)) throw relative(uri);
      if (location.kind === "inline") compileTemplate(location.text, location.name).manifest(MADE_UP);
    },
    kubeconfig(text, where, context) {
      accessFromText(text, where, { context, allowExec: allowExecCredentials });
    },
  };
}

const relative = (uri: string) =>
  new OpjobError("INPUT_INVALID", `The template "${uri}" is a relative path: it means another file to everybody.`, {
    remedy: "Give the path in opjob's Pod, or --embed to keep the template's text in the record.",
  });

/**
 * The text of a template on this machine as a URI that holds it. It must give a Job.
 * @throws OpjobError INPUT_INVALID, TEMPLATE_…
 */
export async function embedded(path: string): Promise<string> {
  const text = await readText(path);
  compileTemplate(text, path).manifest(MADE_UP);
  return `data:text/yaml;base64,${Buffer.from(text).toString("base64")}`;
}

/** Whether a template's URI is a path, which --embed reads. */
export const isPath = (uri: string): boolean => !/^[a-z][a-z0-9+.-]+:/i.test(uri);

/** The checks, or none with --unchecked. @throws OpjobError SETTING_INVALID */
export const checksOf = ({ environment }: Pick<Host, "environment">, unchecked: boolean): Checks | undefined =>
  unchecked ? undefined : vetting(readConfig(environment));
