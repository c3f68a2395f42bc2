"""Names of the recipes of perceptual hashes, as stores record them.

Hashes of two recipes differ in few bits for the same image, so that they are
not compared.
"""

# Stores that name no recipe have this one, ImageHash's own.
PLAIN_RECIPE = 'imagehash.phash'
SHRUNK_RECIPE = 'imagehash.phash after bilinear to 96 px'
# The present recipe, see ltvl_mm.utils.perceptual_hash.
HASH_RECIPE = 'phash of bilinear 32 px'
HASH_RECIPES = (PLAIN_RECIPE, SHRUNK_RECIPE, HASH_RECIPE)
