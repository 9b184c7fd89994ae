// The certified provider of npm (`oidc-provider`), for tests: it requires PKCE, and says groups at userinfo alone.
import { Provider } from "oidc-provider";

const [port, redirect] = process.argv.slice(2);
const provider = new Provider(`http://127.0.0.1:${port}`, {
  clients: [{ client_id: "ringfence", client_secret: "a secret of the house", redirect_uris: [redirect],
    grant_types: ["authorization_code"], response_types: ["code"],
    post_logout_redirect_uris: [new URL("/", redirect).href] }],
  claims: { openid: ["sub"], profile: ["groups", "house"] },
  cookies: { keys: ["for tests"] },
  pkce: { required: () => true },
  findAccount: (_, id) => ({ accountId: id, claims: async () => ({ sub: id, groups: ["wards"], house: "north" }) }),
});
provider.listen(Number(port), "127.0.0.1", () => console.log("ready"));
