// The part of Amazon's library that is used, by name: a bundler finds the names of a CommonJS library in a static import only.
// Imported late, by the S3 store.
export { GetObjectCommand, S3Client, type S3ClientConfig } from "@aws-sdk/client-s3";
