# The page of {{ title|line }}
echo 'The script waits.'
exec sleep 600
