"""What a sign student is worth: in a look at the dev split now and then, and in the evaluation of a whole split.

Where clips land is judged beside what is said of them.
"""
