// The least role that opjob works with. Run it once as a user who may create roles:
//
//   mongosh "mongodb://ADMIN@HOST/admin" deploy/mongodb-role.js
//
// then make a user with it, for which mongosh asks the password:
//
//   db.getSiblingDB("admin").createUser({ user: "opjob", pwd: passwordPrompt(), roles: ["opjob"] })
//
// Change the names if FIFTYONE_DATABASE_NAME or OPJOB_SECRETS_COLLECTION are set.
const database = "fiftyone";
const secrets = "secrets";

const on = (collection, actions) => ({ resource: { db: database, collection }, actions });

db.getSiblingDB("admin").createRole({
  role: "opjob",
  privileges: [
    on("delegated_ops", ["find", "update", "changeStream"]),
    on("orchestrators", ["find", "changeStream"]),
    on(secrets, ["find", "changeStream"]),
  ],
  roles: [],
});
