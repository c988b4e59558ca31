const path = require("node:path");

module.exports = () => ({
  connection: { client: "sqlite", connection: { filename: path.join(process.env.DATA, "strapi.sqlite") }, useNullAsDefault: true },
});
