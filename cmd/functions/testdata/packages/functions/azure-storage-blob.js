const { BlobServiceClient, StorageSharedKeyCredential } = require('@azure/storage-blob');

async function main(req, res) {
  const service = new BlobServiceClient(`${req.body.url}/account`,
    new StorageSharedKeyCredential('account', 'c2VjcmV0'), { retryOptions: { maxTries: 1 } });
  const bytes = await service.getContainerClient('bucket').getBlobClient('object').downloadToBuffer();
  res.send({ text: bytes.toString() });
}

module.exports = { main };
