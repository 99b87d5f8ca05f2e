// The part of Google's library that is used, by name: a bundler then leaves out the rest.
// Imported late, by the Google Cloud Storage store.
export { GoogleAuth } from "google-auth-library";
