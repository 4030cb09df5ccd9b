DROP TABLE providers, memories, messages, outputs, blob_chunks, blobs;
