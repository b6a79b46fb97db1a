import { GetObjectCommand, S3Client } from '@aws-sdk/client-s3';

export async function main(req, res) {
  const client = new S3Client({
    endpoint: req.body.url, region: 'eu-west-1', forcePathStyle: true, maxAttempts: 1,
    credentials: { accessKeyId: 'key', secretAccessKey: 'secret' },
  });
  const { Body } = await client.send(new GetObjectCommand({ Bucket: 'bucket', Key: 'object' }));
  res.send({ text: await Body.transformToString() });
}
