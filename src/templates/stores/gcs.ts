// The door to Google Cloud Storage (`gs://`): one GET of its JSON API, with the credentials that Google's own library finds.
// The library is loaded at the first template that is stored here.
import { OpjobError } from "../../errors.ts";
import type { BucketLocation } from "../location.ts";
import type { Store } from "./reading.ts";
import { forbidden, type Kind, networkFault, storeAway } from "./refusal.ts";
import { answerOf, get } from "./web.ts";

const KIND: Kind = {
  access:
    "Give opjob's Google account the role Storage Object Viewer on the bucket: by workload identity, or by a key file that GOOGLE_APPLICATION_CREDENTIALS names.",
};
const SCOPE = "https://www.googleapis.com/auth/devstorage.read_only";
const SERVER = "https://storage.googleapis.com";

type Headers = Readonly<Record<string, string>>;

/**
 * @param environment STORAGE_EMULATOR_HOST names an emulator, which wants no credentials, as for Google's libraries
 * @param server another address of the API
 */
export function gcsStore(
  environment: Readonly<Record<string, string | undefined>>,
  server = SERVER,
): Store<BucketLocation> {
  const emulator = environment["STORAGE_EMULATOR_HOST"];
  const credentials = emulator ? async () => ({}) : googleCredentials();
  return async ({ bucket, key, name }, { tag, signal }) => {
    const url = new URL(
      `/storage/v1/b/${encodeURIComponent(bucket)}/o/${encodeURIComponent(key)}`,
      emulator ? withScheme(emulator) : server,
    );
    url.searchParams.set("alt", "media");
    // The API compares generations, which change with the content and with nothing else.
    if (tag !== undefined) url.searchParams.set("ifGenerationNotMatch", tag);
    const response = await get(name, url, await headersOf(credentials, url, name), signal);
    return answerOf(response, name, KIND, "x-goog-generation");
  };
}

type Credentials = (url: URL) => Promise<Headers>;

function googleCredentials(): Credentials {
  let known: Promise<{ getRequestHeaders: (url: URL) => Promise<Iterable<[string, string]>> }> | undefined;
  return async (url) => {
    known ??= (async () => {
      const { GoogleAuth } = await import("./gcs-library.ts");
      // Reading needs no project; without a name here the library would ask another of Google's services for it.
      return await new GoogleAuth({ scopes: SCOPE, projectId: "unused" }).getClient();
    })();
    try {
      return Object.fromEntries(await (await known).getRequestHeaders(url));
    } catch (error) {
      known = undefined; // a file that is mounted later is found then
      throw error;
    }
  };
}

async function headersOf(credentials: Credentials, url: URL, name: string): Promise<Headers> {
  try {
    return await credentials(url);
  } catch (error) {
    if (error instanceof OpjobError) throw error;
    const away = networkFault(error);
    if (away !== undefined) throw storeAway(name, `credentials cannot be had: ${away}`, error);
    const said = error instanceof Error ? error.message : String(error);
    throw forbidden(name, `there are no credentials for Google Cloud (${said.split(/[.\n]/)[0]})`, KIND, error);
  }
}

const withScheme = (host: string): string => (/^https?:\/\//.test(host) ? host : `http://${host}`);
