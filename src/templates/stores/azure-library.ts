// The part of Microsoft's libraries that is used, by name: a bundler then leaves out the rest.
// Imported late, by the Azure store.
export { BlobServiceClient, type StoragePipelineOptions, StorageSharedKeyCredential } from "@azure/storage-blob";
