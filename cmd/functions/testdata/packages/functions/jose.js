import { SignJWT, jwtVerify } from 'jose';

export async function main(req, res) {
  const key = new TextEncoder().encode('0123456789abcdef0123456789abcdef');
  const token = await new SignJWT({ sub: 'a' }).setProtectedHeader({ alg: 'HS256' }).sign(key);
  const { payload } = await jwtVerify(token, key);
  res.send({ payload });
}
