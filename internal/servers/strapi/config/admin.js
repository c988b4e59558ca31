// The dashboard is not built and not served, and still wants its secrets.
module.exports = () => ({
  auth: { secret: "of the dashboard" },
  apiToken: { salt: "of API tokens" },
  transfer: { token: { salt: "of transfer tokens" } },
  secrets: { encryptionKey: "0123456789abcdef0123456789abcdef" },
});
