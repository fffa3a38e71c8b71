class V6__Code {}
