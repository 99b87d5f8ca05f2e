// The door to Amazon S3 and what speaks its protocol (`s3://`, `minio://`), through Amazon's own library and the credentials that
// it finds. The library is loaded at the first template that is stored here.
import { OpjobError } from "../../errors.ts";
import type { BucketLocation } from "../location.ts";
import { collect, type Store } from "./reading.ts";
import { forbidden, type Kind, networkFault, refusal, storeAway } from "./refusal.ts";
import type { S3Client, S3ClientConfig } from "./s3-library.ts";

type Environment = Readonly<Record<string, string | undefined>>;

const AWS: Kind = {
  access:
    "Allow s3:GetObject on it to opjob's account: the IAM role of its service account, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY. Without s3:ListBucket, S3 says the same of an object that is missing.",
};
const MINIO: Kind = {
  access: "Give the account of MINIO_ACCESS_KEY and MINIO_SECRET_ACCESS_KEY the right to read the object.",
};

/** Where no variable and no file names one: other regions are found by the redirect that S3 answers with. */
const ANY_REGION = "us-east-1";

/** Reads through one client, which keeps its connections and its credentials until they must be renewed. */
export function s3Store(environment: Environment): Store<BucketLocation> {
  const clients = new Map<string, Promise<S3Client>>();
  const clientFor = (kind: string): Promise<S3Client> => {
    const known = clients.get(kind);
    if (known) return known;
    const made = kind === "minio" ? minioClient(environment) : awsClient(environment);
    clients.set(kind, made);
    made.catch(() => clients.delete(kind));
    return made;
  };
  return async ({ kind, bucket, key, name }, { tag, signal }) => {
    if (kind === "minio" && !environment["MINIO_ENDPOINT_URL"]) throw noEndpoint(name);
    try {
      const [client, { GetObjectCommand }] = await Promise.all([clientFor(kind), import("./s3-library.ts")]);
      const request = { Bucket: bucket, Key: key, ...(tag !== undefined && { IfNoneMatch: tag }) };
      const { Body, ContentLength, ETag } = await client.send(new GetObjectCommand(request), { abortSignal: signal });
      const text = await collect(Body as AsyncIterable<Uint8Array>, { name, length: ContentLength });
      return { kind: "text", text, tag: ETag };
    } catch (error) {
      if (statusOf(error) === 304) return { kind: "unchanged" };
      throw asRefusal(name, kind === "minio" ? MINIO : AWS, error);
    }
  };
}

/** One more try than the first: the sweep and the next launch come again anyway. */
const COMMON = { maxAttempts: 2, followRegionRedirects: true } as const satisfies S3ClientConfig;

async function awsClient(environment: Environment): Promise<S3Client> {
  const { S3Client } = await import("./s3-library.ts");
  // Another endpoint seldom has a host name for each bucket; the library reads its address from these variables itself.
  const custom = environment["AWS_ENDPOINT_URL_S3"] || environment["AWS_ENDPOINT_URL"];
  const options = { ...COMMON, forcePathStyle: Boolean(custom) };
  // The second is Python's name for it, which FiftyOne's documentation uses.
  const region = environment["AWS_REGION"] || environment["AWS_DEFAULT_REGION"];
  if (region) return new S3Client({ ...options, region });
  const client = new S3Client(options);
  const found = await client.config.region().catch(() => undefined);
  return found === undefined ? new S3Client({ ...options, region: ANY_REGION }) : client;
}

/** The variables of FiftyOne's documentation for MinIO. */
async function minioClient(environment: Environment): Promise<S3Client> {
  const { S3Client } = await import("./s3-library.ts");
  return new S3Client({
    ...COMMON,
    endpoint: environment["MINIO_ENDPOINT_URL"] ?? "",
    region: environment["MINIO_REGION"] || ANY_REGION,
    forcePathStyle: true,
    credentials: {
      accessKeyId: environment["MINIO_ACCESS_KEY"] ?? "",
      secretAccessKey: environment["MINIO_SECRET_ACCESS_KEY"] ?? "",
    },
  });
}

/** An error of the library: the service's refusals carry their status. */
type SdkError = Error & { readonly $metadata?: { readonly httpStatusCode?: number } };

const statusOf = (error: unknown): number | undefined => (error as SdkError).$metadata?.httpStatusCode;

/** Refusals that S3 answers with 400, though they are of the credentials. */
const OF_CREDENTIALS = /^(ExpiredToken|InvalidToken|TokenRefreshRequired|AuthorizationHeaderMalformed)/;

function asRefusal(name: string, kind: Kind, error: unknown): OpjobError {
  if (error instanceof OpjobError) return error;
  const { name: code, message } = error as SdkError;
  const away = networkFault(error);
  if (/Credential|Token(Provider)?Error/.test(code)) {
    if (away !== undefined) return storeAway(name, `credentials cannot be had: ${away}`, error);
    return forbidden(name, `there are no credentials for S3 (${message.split(/[.\n]/)[0]})`, kind, error);
  }
  const status = statusOf(error);
  if (status === 200 || status === undefined) return storeAway(name, away ?? message, error);
  if (OF_CREDENTIALS.test(code)) return forbidden(name, `${code}: ${message}`, kind, error);
  return refusal(name, kind, { status, said: code === message ? code : `${code}: ${message}`, cause: error });
}

const noEndpoint = (name: string) =>
  new OpjobError(
    "TEMPLATE_LOCATION_UNSUPPORTED",
    `The template "${name}" is stored at MinIO, but nothing says where that is.`,
    {
      remedy: "Set MINIO_ENDPOINT_URL, MINIO_ACCESS_KEY and MINIO_SECRET_ACCESS_KEY.",
    },
  );
