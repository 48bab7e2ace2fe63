// Azurite keeps what it knows of blobs in memory (LokiJS) and writes all of it every five seconds: killed in between, it
// forgets what it has confirmed, which Azure never does. So each change goes into a journal before it is confirmed, and
// at the next start the journal is read after the file. It is loaded before Azurite: node -r durable.cjs main.js
"use strict";
const fs = require("fs");
const Module = require("module");
const Loki = Module.createRequire(fs.realpathSync(process.argv[1]))("lokijs"); // the program may be a link

const CHANGES = ["insert", "update", "delete"];
const journals = new WeakMap(); // database -> file descriptor

const present = (database) => `${database.filename}.journal`;
const earlier = (database) => `${database.filename}.journal.saving`; // its changes are in the save that is under way

function note(database, collection, change, documents) {
  if (!journals.has(database)) journals.set(database, fs.openSync(present(database), "a"));
  for (const document of [].concat(documents)) {
    fs.writeSync(journals.get(database), JSON.stringify([collection, change, document]) + "\n");
  }
}

const addCollection = Loki.prototype.addCollection;
Loki.prototype.addCollection = function (name, options) {
  const known = this.getCollection(name) !== null;
  const collection = addCollection.call(this, name, options);
  for (const change of known ? [] : CHANGES) collection.on(change, (documents) => note(this, name, change, documents));
  return collection;
};

// A save holds all changes up to its beginning. What comes while it is written stands in a new journal.
const save = Loki.prototype.saveDatabaseInternal;
Loki.prototype.saveDatabaseInternal = function (callback) {
  turn(this);
  return save.call(this, (error) => {
    if (!error) fs.rmSync(earlier(this), { force: true });
    if (callback) callback(error);
    else if (error) throw error;
  });
};

function turn(database) {
  if (!journals.has(database)) return;
  fs.closeSync(journals.get(database));
  journals.delete(database);
  if (fs.existsSync(earlier(database))) {
    // The last save failed: its changes are still to be kept.
    fs.appendFileSync(earlier(database), fs.readFileSync(present(database)));
    fs.rmSync(present(database));
  } else {
    fs.renameSync(present(database), earlier(database));
  }
}

const load = Loki.prototype.loadDatabase;
Loki.prototype.loadDatabase = function (options, callback) {
  const lines = [earlier(this), present(this)].flatMap(read);
  if (lines.length) merge(this.filename, lines);
  return load.call(this, options, (error) => {
    if (!error) for (const collection of this.collections) collection.ensureAllIndexes(true);
    if (callback) callback(error);
  });
};

function read(path) {
  if (!fs.existsSync(path)) return [];
  const lines = fs.readFileSync(path, "utf8").split("\n");
  return lines.slice(0, -1).map((line) => JSON.parse(line)); // one that was cut off was never confirmed
}

// Changes that the file has already are made once more, in their order: that comes to the same.
function merge(filename, lines) {
  const database = JSON.parse(fs.readFileSync(filename, "utf8"));
  const byName = new Map(database.collections.map((one) => [one.name, one]));
  const rows = new Map(database.collections.map((one) => [one.name, new Map(one.data.map((row) => [row.$loki, row]))]));
  for (const [name, change, document] of lines) {
    if (change === "delete") rows.get(name).delete(document.$loki);
    else rows.get(name).set(document.$loki, document);
    byName.get(name).maxId = Math.max(byName.get(name).maxId, document.$loki);
  }
  for (const [name, collection] of byName) {
    collection.data = [...rows.get(name).values()].sort((one, other) => one.$loki - other.$loki);
    collection.idIndex = collection.data.map((row) => row.$loki);
  }
  fs.writeFileSync(`${filename}.merged`, JSON.stringify(database));
  fs.renameSync(`${filename}.merged`, filename);
}
