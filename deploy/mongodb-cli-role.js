// The least role for people who register orchestrators and keep secrets with opjob's commands (`opjob orchestrator`, `apply`,
// `secret`); it also suffices to look (`status`, `ops`, `explain`, `logs`), for which the daemon's role does as well.
// The daemon does not need it. Run it once as a user who may create roles:
//
//   mongosh "mongodb://ADMIN@HOST/admin" deploy/mongodb-cli-role.js
//
// then make a user with it, for which mongosh asks the password:
//
//   db.getSiblingDB("admin").createUser({ user: "opjob-cli", pwd: passwordPrompt(), roles: ["opjobCli"] })
//
// Change the names if FIFTYONE_DATABASE_NAME or OPJOB_SECRETS_COLLECTION are set.
const database = "fiftyone";
const secrets = "secrets";

const on = (collection, actions) => ({ resource: { db: database, collection }, actions });

db.getSiblingDB("admin").createRole({
  role: "opjobCli",
  privileges: [
    on("delegated_ops", ["find"]),
    on("orchestrators", ["find", "insert", "update", "remove"]),
    on(secrets, ["find", "insert", "update", "remove"]),
  ],
  roles: [],
});
