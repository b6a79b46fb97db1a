import bcrypt from 'bcryptjs';

export async function main(req, res) {
  const hash = await bcrypt.hash('password', 4);
  res.send({ good: await bcrypt.compare('password', hash), bad: await bcrypt.compare('other', hash) });
}
