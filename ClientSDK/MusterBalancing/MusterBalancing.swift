// MusterBalancing
