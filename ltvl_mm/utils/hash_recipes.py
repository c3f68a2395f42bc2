"""Names of the recipes of perceptual hashes, as stores record them.

Hashes of two recipes differ in few bits for the same image, so that they are
not compared.
"""

# Stores that name no recipe have this one, ImageHash's own.
PLAIN_RECIPE = 'imagehash.phash'
# The present recipe, see ltvl_mm.utils.perceptual_hash.
HASH_RECIPE = 'imagehash.phash after bilinear to 96 px'
HASH_RECIPES = (PLAIN_RECIPE, HASH_RECIPE)
