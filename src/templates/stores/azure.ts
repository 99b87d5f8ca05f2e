// The door to Azure Blob Storage (`az://`, `abfss://`, a blob's own https address), through Microsoft's own libraries and the
// credentials that they find. They are loaded at the first template that is stored here.
// The variables are those of FiftyOne's documentation, which are those of Azure's own tools.
import { OpjobError } from "../../errors.ts";
import type { AzureLocation } from "../location.ts";
import type { DefaultAzureCredential } from "./azure-identity.ts";
import type { BlobServiceClient, StoragePipelineOptions } from "./azure-library.ts";
import { collect, type Store } from "./reading.ts";
import { forbidden, type Kind, networkFault, refusal, storeAway } from "./refusal.ts";

type Environment = Readonly<Record<string, string | undefined>>;

const KIND: Kind = {
  access:
    "Give opjob's identity the role Storage Blob Data Reader: a workload or managed identity, AZURE_CLIENT_ID with AZURE_TENANT_ID and AZURE_CLIENT_SECRET, AZURE_STORAGE_ACCOUNT with AZURE_STORAGE_KEY, or AZURE_STORAGE_CONNECTION_STRING.",
};

/** One more try than the first: the sweep and the next launch come again anyway. */
const OPTIONS: StoragePipelineOptions = { retryOptions: { maxTries: 2, retryDelayInMs: 200 } };

export function azureStore(environment: Environment): Store<AzureLocation> {
  let identity: Promise<DefaultAzureCredential> | undefined;
  const anyIdentity = (): Promise<DefaultAzureCredential> => {
    identity ??= import("./azure-identity.ts").then((library) => new library.DefaultAzureCredential());
    return identity;
  };
  return async (location, { tag, signal }) => {
    const { name, container, key } = location;
    try {
      const service = await serviceFor(location, environment, anyIdentity);
      const conditions = tag === undefined ? {} : { ifNoneMatch: tag };
      const blob = service.getContainerClient(container).getBlobClient(key);
      // Without retries in mid-answer: what breaks off is seen as that.
      const options = { conditions, abortSignal: signal, maxRetryRequests: 0 };
      const { readableStreamBody, contentLength: length, etag } = await blob.download(0, undefined, options);
      const text = await collect(readableStreamBody as AsyncIterable<Buffer>, { name, length });
      return { kind: "text", text, tag: etag };
    } catch (error) {
      if (statusOf(error) === 304) return { kind: "unchanged" };
      throw asRefusal(name, error);
    }
  };
}

async function serviceFor(
  { endpoint, name }: AzureLocation,
  environment: Environment,
  anyIdentity: () => Promise<DefaultAzureCredential>,
): Promise<BlobServiceClient> {
  const { BlobServiceClient, StorageSharedKeyCredential } = await import("./azure-library.ts");
  const connection = environment["AZURE_STORAGE_CONNECTION_STRING"];
  if (connection) {
    const service = connected(() => BlobServiceClient.fromConnectionString(connection, OPTIONS), name);
    if (endpoint === undefined || accountOf(endpoint) === service.accountName) return service;
  }
  const { account, url, key } = accountFor(endpoint, name, environment);
  const credential = key ? connected(() => new StorageSharedKeyCredential(account, key), name) : await anyIdentity();
  return new BlobServiceClient(url, credential, OPTIONS);
}

/** The key and the custom domain belong to the account that is named beside them, and to no other. */
function accountFor(endpoint: string | undefined, name: string, environment: Environment) {
  const own = environment["AZURE_STORAGE_ACCOUNT"];
  const account = endpoint === undefined ? own : accountOf(endpoint);
  if (!account) throw noAccount(name);
  const url = endpoint ?? `https://${account}.blob.core.windows.net`;
  if (account !== own) return { account, url, key: undefined };
  return { account, url: environment["AZURE_STORAGE_ACCOUNT_URL"] || url, key: environment["AZURE_STORAGE_KEY"] };
}

const accountOf = (endpoint: string): string => new URL(endpoint).host.split(".")[0] ?? "";

/** A connection string or key of the wrong form: the library's error may repeat it. */
function connected<T>(make: () => T, name: string): T {
  try {
    return make();
  } catch {
    throw forbidden(
      name,
      "AZURE_STORAGE_CONNECTION_STRING or AZURE_STORAGE_KEY is not of the form that Azure gives",
      KIND,
    );
  }
}

/** An error of the libraries: the service's refusals carry their status and a code. */
type AzureError = Error & { readonly statusCode?: number; readonly code?: string };

const statusOf = (error: unknown): number | undefined => (error as AzureError).statusCode;

function asRefusal(name: string, error: unknown): OpjobError {
  if (error instanceof OpjobError) return error;
  const { name: type, code, message } = error as AzureError;
  const away = networkFault(error);
  if (/Credential|Authentication/.test(type)) {
    if (away !== undefined) return storeAway(name, `credentials cannot be had: ${away}`, error);
    return forbidden(name, `there are no credentials for Azure (${message.split(/[.\n]/)[0]})`, KIND, error);
  }
  const status = statusOf(error);
  if (status === undefined) return storeAway(name, away ?? (code === undefined ? message : code), error);
  const said = (message.split("\n")[0] ?? "").trim();
  return refusal(name, KIND, { status, said: code && !said.includes(code) ? `${code}: ${said}` : said, cause: error });
}

const noAccount = (name: string) =>
  new OpjobError("TEMPLATE_LOCATION_UNSUPPORTED", `The template "${name}" names no storage account.`, {
    remedy:
      "Set AZURE_STORAGE_ACCOUNT or AZURE_STORAGE_CONNECTION_STRING, or write https://ACCOUNT.blob.core.windows.net/CONTAINER/BLOB.",
  });
