import * as v from 'valibot';

const Login = v.object({ email: v.pipe(v.string(), v.email()), tries: v.optional(v.number(), 0) });

export async function main(req, res) {
  const bad = v.safeParse(Login, { email: 'x' });
  res.send({ good: v.parse(Login, { email: 'a@example.com' }), bad: bad.success });
}
