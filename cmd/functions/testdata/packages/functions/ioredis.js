import Redis from 'ioredis';

export async function main(req, res) {
  const redis = new Redis(req.body.redis, { lazyConnect: true, retryStrategy: null });
  await redis.connect();
  await redis.set('packages:key', 'kept');
  const kept = await redis.get('packages:key');
  redis.disconnect();
  res.send({ kept });
}
