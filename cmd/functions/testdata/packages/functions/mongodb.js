import { BSON, MongoClient, ObjectId } from 'mongodb';

export async function main(req, res) {
  const client = new MongoClient(`mongodb://127.0.0.1:${req.body.closed}`, { serverSelectionTimeoutMS: 200 });
  const error = await client.connect().catch(fault => fault);
  await client.close();
  const bytes = BSON.serialize({ _id: new ObjectId('0123456789abcdef01234567'), n: 7 });
  res.send({ error: error.name, value: BSON.deserialize(bytes).n });
}
