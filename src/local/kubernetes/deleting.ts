// delete and deletecollection: reads the options, and answers as the real server does. What a deletion means is deletion.ts.
import { type Answer, type Call, isTrue, json } from "./call.ts";
import type { Core } from "./core.ts";
import {
  checkPreconditions,
  type DeleteOptions,
  deleteObject,
  deletionWarnings,
  type Propagation,
} from "./deletion.ts";
import { isRecord } from "./objects.ts";
import { matching } from "./reading.ts";
import { type Cause, invalid, success } from "./status.ts";
import { unsupported } from "./validate.ts";
import { find } from "./writing.ts";

/** 200 with the object where it stays for a while (or is a Pod), else with a Success status. */
export function remove(core: Core, call: Call): Answer {
  const { resource } = call;
  const options = optionsOf(call);
  call.warnings.push(...deletionWarnings(resource, options));
  const kept = find(core, call);
  if (options.dryRun?.length) checkPreconditions(resource, kept, options);
  const object = options.dryRun?.length ? kept.object : deleteObject(core, resource, kept, options);
  return json(200, object ?? success(resource, kept.object.metadata.name, kept.object.metadata.uid));
}

/** 200 with the list of what was selected and deleted. */
export function removeCollection(core: Core, call: Call): Answer {
  const { resource } = call;
  const options = optionsOf(call);
  const items = matching(core, call).map((kept) => {
    if (!options.dryRun?.length) deleteObject(core, resource, kept, options);
    return kept.object;
  });
  const metadata = { resourceVersion: String(core.store.version) };
  return json(200, { kind: `${resource.kind}List`, apiVersion: "v1", metadata, items });
}

/** DeleteOptions come as a body or, if there is none, in the query; never mixed. @throws ApiFailure 422 */
function optionsOf({ query, body }: Call): DeleteOptions {
  const options: DeleteOptions = isRecord(body) ? body : optionsOfQuery(query);
  const { propagationPolicy: policy, dryRun = [] } = options;
  const causes: Cause[] = [];
  if (policy !== undefined && !POLICIES.includes(policy)) {
    causes.push(unsupported("propagationPolicy", policy, [...POLICIES, "nil"]));
  }
  if (dryRun.some((value) => value !== "All")) causes.push(unsupported("dryRun", dryRun, ["All"]));
  if (causes.length > 0) throw invalid({ group: "meta.k8s.io", kind: "DeleteOptions" }, "", causes);
  return options;
}

const POLICIES: readonly string[] = ["Foreground", "Background", "Orphan"];

function optionsOfQuery(query: URLSearchParams): DeleteOptions {
  const policy = query.get("propagationPolicy");
  const grace = query.get("gracePeriodSeconds");
  const orphan = query.get("orphanDependents");
  const dryRun = query.getAll("dryRun");
  return {
    ...(policy !== null && { propagationPolicy: policy as Propagation }),
    ...(grace !== null && { gracePeriodSeconds: Number(grace) }),
    ...(orphan !== null && { orphanDependents: isTrue(orphan) }),
    ...(dryRun.length > 0 && { dryRun }),
  };
}
