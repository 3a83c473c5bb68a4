// A certified OpenID provider, as `tools/services/oidc.py` starts it: node oidc.mjs PORT [HOST].
// Its issuer is http://127.0.0.1:PORT, whatever it listens on.
//
// Clients register themselves at /reg. Anybody logs in with any password; the name is the subject.
// Names that begin with `guide` are in the group `guides`, and the e-mail address of those that
// begin with `new` is not verified.
import { randomBytes } from 'node:crypto';
import { Provider } from 'oidc-provider';

const port = Number(process.argv[2]);
const host = process.argv[3] ?? '127.0.0.1';

function account(name) {
  return {
    accountId: name,
    claims: () => ({
      sub: name,
      email: `${name}@piste.test`,
      email_verified: !name.startsWith('new'),
      groups: name.startsWith('guide') ? ['guides'] : [],
    }),
  };
}

const provider = new Provider(`http://127.0.0.1:${port}`, {
  claims: { openid: ['sub'], email: ['email', 'email_verified'], groups: ['groups'] },
  cookies: { keys: [randomBytes(32).toString('hex')] },
  features: { registration: { enabled: true } },
  findAccount: (_, name) => account(name),
  pkce: { required: () => true },
});
provider.listen(port, host);
