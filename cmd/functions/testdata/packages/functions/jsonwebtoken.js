import jwt from 'jsonwebtoken';

export async function main(req, res) {
  const token = jwt.sign({ sub: 'a' }, 'secret', { algorithm: 'HS256', noTimestamp: true });
  let forged;
  try { jwt.verify(token, 'other'); } catch (error) { forged = error.message; }
  res.send({ payload: jwt.verify(token, 'secret'), forged });
}
