// Settings of refreshes: how an orchestrator's available operators are reported, and when by themselves. Pure.
import { type Settings, text } from "./formats.ts";

/**
 * Reports the operators of the environment that it runs in to the record of the orchestrator that is its argument, in the
 * fields that FiftyOne's own registration sets; exit 0 reported, 4 there is no such record.
 */
const REPORT =
  "import sys,datetime;import fiftyone.core.odm as odm;from fiftyone.operators import OperatorRegistry as R;" +
  "r=R();[print('plugin error:',e,file=sys.stderr) for e in r.list_errors()];" +
  "u=sorted(o.uri for o in r.list_operators());" +
  "w={'instance_id':sys.argv[1],'environment':'kubernetes','deactivated_at':{'$exists':False}};" +
  "s={'available_operators':u,'updated_at':datetime.datetime.utcnow()};" +
  "m=odm.get_db_conn().orchestrators.update_one(w,{'$set':s}).matched_count;" +
  "print(len(u),'operators');sys.exit(0 if m else 4)";

export const REFRESH = {
  registerCommand: {
    doc: "`_command` of a registration Job: the program that reports the operators of its environment.",
    format: text,
    default: "python",
    env: "OPJOB_REGISTER_COMMAND",
  },
  registerArgs: {
    doc: 'JSON array: `_args` of a registration Job. "{orchestrator}" stands for the orchestrator\'s instance_id. The default reports with open-source FiftyOne.',
    format: "json",
    default: ["-c", REPORT, "{orchestrator}"] as string[],
    env: "OPJOB_REGISTER_ARGS",
  },
  refreshNew: {
    doc: "Whether the daemon refreshes an orchestrator by itself whose `available_operators` is an empty list, as it is after its registration.",
    format: "flag",
    default: true,
    env: "OPJOB_REFRESH_NEW",
  },
  refreshCron: {
    doc: "When the daemon refreshes all active orchestrators: a cron expression. Empty: never.",
    format: text,
    default: "",
    env: "OPJOB_REFRESH_CRON",
  },
} satisfies Settings;
