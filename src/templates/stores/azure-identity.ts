// The part of Microsoft's library of identities that is used, by name: a bundler then leaves out the rest.
// Imported late, by the Azure store, where no key of an account is given.
export { DefaultAzureCredential } from "@azure/identity";
