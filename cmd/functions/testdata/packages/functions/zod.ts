import { z } from 'zod';

const Order = z.object({ id: z.string().min(1), amount: z.coerce.number().positive() });

export async function main(req, res) {
  const good = Order.parse({ id: 'a', amount: '7' });
  const bad = Order.safeParse({ id: '', amount: -1 });
  res.send({ good, faults: bad.error?.issues.map(issue => issue.path.join('.')) });
}
