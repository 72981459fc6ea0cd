<?xml version="1.0" encoding="utf-8"?>
<!DOCTYPE TS>
<TS version="2.1" language="es" sourcelanguage="en">
<context>
    <name>SarDino</name>
    <message>
        <source>Accuracy and areas of a class map</source>
        <translation>Exactitud y superficies de un mapa de clases</translation>
    </message>
    <message>
        <source>accuracy,assessment,validation,confusion matrix,error matrix,overall accuracy,iou,f1,precision,recall,area estimation,confidence interval,olofsson,stratified,land cover,classification,reference</source>
        <translation>exactitud,evaluación,validación,matriz de confusión,matriz de error,exactitud global,iou,f1,precisión,exhaustividad,estimación de superficies,intervalo de confianza,olofsson,estratificado,cobertura del suelo,clasificación,referencia,accuracy</translation>
    </message>
    <message>
        <source>Compares a map of classes with a reference: another raster of classes, or points and polygons with a class each. The report (it opens in the Results Viewer) holds the confusion matrix, overall, user's and producer's accuracy, F1 and IoU by pixels, and areas in hectares.

Where the reference is a sample, the report also holds accuracies and areas with 95 % confidence intervals by the stratified estimator of Olofsson et al. (2014), Remote Sensing of Environment 148, 42-57: map classes are the strata, and their areas on the whole map are known. It assumes that the sample was drawn at random within each class (or over the whole map); places chosen by convenience overestimate the accuracy. Each point is one sampling unit, and so is each polygon, with the map class of most of its pixels.

A reference raster is compared pixel by pixel. That is not a sample, and neighbouring pixels are not independent, so there are no intervals unless a sample size is given: then that many places are drawn from it at random within the map classes.

Values are matched by value, names by name. Grids and coordinate systems may differ: the reference is resampled to the map's grid by nearest neighbour. Nodata and ignored values are left out and counted.

A map with the four classes of the bundled model can be compared with ESA WorldCover as it is: reference values 20, 40, 60, 70, 90 and 100 count as open land (30), and 95 as tree cover (10). The report tells which values were merged.</source>
        <translation>Compara un mapa de clases con una referencia: otro ráster de clases, o puntos y polígonos con una clase cada uno. El informe (se abre en el Visor de resultados) contiene la matriz de confusión, la exactitud global, las del usuario y del productor, F1 e IoU por píxeles, y las superficies en hectáreas.

Si la referencia es una muestra, el informe contiene además exactitudes y superficies con intervalos de confianza del 95 % según el estimador estratificado de Olofsson et al. (2014), Remote Sensing of Environment 148, 42-57: las clases del mapa son los estratos, y se conocen sus superficies en el mapa completo. Se supone que la muestra se tomó al azar dentro de cada clase (o en todo el mapa); los lugares elegidos por comodidad sobrestiman la exactitud. Cada punto es una unidad de muestreo, y también cada polígono, con la clase del mapa de la mayoría de sus píxeles.

Un ráster de referencia se compara píxel a píxel. Eso no es una muestra, y los píxeles vecinos no son independientes, por lo que no hay intervalos, salvo que se indique un tamaño de muestra: entonces se toma de él al azar ese número de lugares, dentro de las clases del mapa.

Los valores se emparejan por valor; los nombres, por nombre. Las cuadrículas y los sistemas de coordenadas pueden ser distintos: la referencia se remuestrea a la cuadrícula del mapa por el vecino más cercano. Los píxeles sin datos y los valores ignorados se excluyen y se cuentan.

Un mapa con las cuatro clases del modelo incluido se puede comparar con ESA WorldCover sin más ajustes: los valores 20, 40, 60, 70, 90 y 100 de la referencia cuentan como terreno abierto (30), y el 95 como arbolado (10). El informe indica qué valores se unieron.</translation>
    </message>
    <message>
        <source>Reference to map values</source>
        <translation>Valores de referencia a mapa</translation>
    </message>
    <message>
        <source>If the reference uses other values than the map: pairs of reference value (or name, for vectors) and map value, such as 1=80,2=10 or Forest=10. Values that are not listed stay unchanged; those of ESA WorldCover are merged if the map has the four classes of the bundled model (40=40 keeps 40 apart).</source>
        <translation>Si la referencia usa otros valores que el mapa: pares de valor de la referencia (o nombre, si es vectorial) y valor del mapa, por ejemplo 1=80,2=10 o Bosque=10. Los valores que no figuran se conservan; los de ESA WorldCover se unen si el mapa tiene las cuatro clases del modelo incluido (con 40=40, el 40 queda aparte).</translation>
    </message>
    <message>
        <source>Values to ignore in the map</source>
        <translation>Valores que se ignoran en el mapa</translation>
    </message>
    <message>
        <source>Values to ignore in the reference</source>
        <translation>Valores que se ignoran en la referencia</translation>
    </message>
    <message>
        <source>Values to leave out in addition to nodata, such as 0,255.</source>
        <translation>Valores que se excluyen además de los píxeles sin datos, por ejemplo 0,255.</translation>
    </message>
    <message>
        <source>Sample size (reference raster)</source>
        <translation>Tamaño de la muestra (ráster de referencia)</translation>
    </message>
    <message>
        <source>Places to draw at random from a reference raster, stratified by map class (at least 50 in each where the number allows, the rest by area), for estimates with confidence intervals. 0 draws none.</source>
        <translation>Lugares que se toman al azar de un ráster de referencia, estratificados por clase del mapa (al menos 50 en cada una si el número lo permite, el resto según la superficie), para estimaciones con intervalos de confianza. Con 0 no se toma ninguno.</translation>
    </message>
    <message>
        <source>Seed of the sample</source>
        <translation>Semilla de la muestra</translation>
    </message>
    <message>
        <source>The same seed draws the same places.</source>
        <translation>La misma semilla toma los mismos lugares.</translation>
    </message>
    <message>
        <source>Map of classes</source>
        <translation>Mapa de clases</translation>
    </message>
    <message>
        <source>A raster of whole numbers, such as the output of Land cover; its first band is used.</source>
        <translation>Un ráster de números enteros, como la salida de Cobertura del suelo; se usa su primera banda.</translation>
    </message>
    <message>
        <source>Reference raster</source>
        <translation>Ráster de referencia</translation>
    </message>
    <message>
        <source>A raster of classes that is taken as correct. Give either this or a reference vector.</source>
        <translation>Un ráster de clases que se considera correcto. Indicar este o una referencia vectorial, no ambos.</translation>
    </message>
    <message>
        <source>Reference points or polygons</source>
        <translation>Puntos o polígonos de referencia</translation>
    </message>
    <message>
        <source>Points or polygons whose class is known. Give either this or a reference raster.</source>
        <translation>Puntos o polígonos cuya clase se conoce. Indicar estos o un ráster de referencia, no ambos.</translation>
    </message>
    <message>
        <source>Field with the class</source>
        <translation>Campo con la clase</translation>
    </message>
    <message>
        <source>Field of the reference vector: class values of the map, or names as in the map's legend.</source>
        <translation>Campo de la referencia vectorial: valores de clase del mapa, o nombres como los de la leyenda del mapa.</translation>
    </message>
    <message>
        <source>Report</source>
        <translation>Informe</translation>
    </message>
    <message>
        <source>HTML files (*.html)</source>
        <translation>Archivos HTML (*.html)</translation>
    </message>
    <message>
        <source>The report, one page of HTML.</source>
        <translation>El informe, una página HTML.</translation>
    </message>
    <message>
        <source>All figures</source>
        <translation>Todas las cifras</translation>
    </message>
    <message>
        <source>JSON files (*.json)</source>
        <translation>Archivos JSON (*.json)</translation>
    </message>
    <message>
        <source>Every figure, for programs.</source>
        <translation>Todas las cifras, para otros programas.</translation>
    </message>
    <message>
        <source>Matrix</source>
        <translation>Matriz</translation>
    </message>
    <message>
        <source>CSV files (*.csv)</source>
        <translation>Archivos CSV (*.csv)</translation>
    </message>
    <message>
        <source>The confusion matrix by pixels.</source>
        <translation>La matriz de confusión por píxeles.</translation>
    </message>
    <message>
        <source>Overall accuracy by pixels, 0 to 1</source>
        <translation>Exactitud global por píxeles, de 0 a 1</translation>
    </message>
    <message>
        <source>Mean IoU by pixels, 0 to 1</source>
        <translation>IoU media por píxeles, de 0 a 1</translation>
    </message>
    <message>
        <source>Mean F1 by pixels, 0 to 1</source>
        <translation>F1 media por píxeles, de 0 a 1</translation>
    </message>
    <message>
        <source>Pixels compared</source>
        <translation>Píxeles comparados</translation>
    </message>
    <message>
        <source>Sampling units</source>
        <translation>Unidades de muestreo</translation>
    </message>
    <message>
        <source>Estimated overall accuracy, 0 to 1</source>
        <translation>Exactitud global estimada, de 0 a 1</translation>
    </message>
    <message>
        <source>Standard error of the estimated overall accuracy</source>
        <translation>Error estándar de la exactitud global estimada</translation>
    </message>
    <message>
        <source>Give exactly one reference: a raster, or points or polygons.</source>
        <translation>Indicar exactamente una referencia: un ráster, o puntos o polígonos.</translation>
    </message>
    <message>
        <source>Choose the field of the reference vector that holds the class.</source>
        <translation>Elegir el campo de la referencia vectorial que contiene la clase.</translation>
    </message>
    <message>
        <source>Features in the reference: {}.</source>
        <translation>Objetos espaciales en la referencia: {}.</translation>
    </message>
    <message>
        <source>{name}: write whole numbers separated by commas, such as 0,255.</source>
        <translation>{name}: escribir números enteros separados por comas, por ejemplo 0,255.</translation>
    </message>
    <message>
        <source>Attention maps from SAR</source>
        <translation>Mapas de atención a partir de SAR</translation>
    </message>
    <message>
        <source>sar,sentinel-1,radar,attention,explain,vision transformer,vit,dino,self-supervised</source>
        <translation>sar,sentinel-1,radar,atención,explicar,transformador de visión,vit,dino,autosupervisado,attention</translation>
    </message>
    <message>
        <source>Shows where the vision transformer looks: the attention of its class token over the scene, as one layer (mean of the heads) or one band per head. Heads of a model trained by self-distillation (DINO) often pick out water, built-up areas or edges without ever having seen a label.

1 means as much attention as if it were spread evenly over the tile, 2 twice as much. The layer lies half transparent over the scene: bright places get much attention. Attention shows what the model weighs, not why; it is not a land-cover map.</source>
        <translation>Muestra dónde mira el transformador de visión: la atención de su token de clase sobre la escena, como una sola capa (media de las cabezas) o con una banda por cabeza. Las cabezas de un modelo entrenado por autodestilación (DINO) suelen destacar agua, zonas construidas o bordes sin haber visto nunca una etiqueta.

1 significa tanta atención como si se repartiera por igual en la tesela; 2, el doble. La capa se ve semitransparente sobre la escena: los lugares claros reciben mucha atención. La atención muestra qué pondera el modelo, no por qué; no es un mapa de cobertura del suelo.</translation>
    </message>
    <message>
        <source>Heads</source>
        <translation>Cabezas</translation>
    </message>
    <message>
        <source>mean: one band, the mean of all attention heads. all: one band per head, and their mean as the last.</source>
        <translation>mean: una banda, la media de todas las cabezas de atención. all: una banda por cabeza, y su media como última.</translation>
    </message>
    <message>
        <source>The block whose attention is shown, counted from 0; -1 is the last one.</source>
        <translation>El bloque cuya atención se muestra, contado desde 0; -1 es el último.</translation>
    </message>
    <message>
        <source>Attention mass of the masks</source>
        <translation>Masa de atención de las máscaras</translation>
    </message>
    <message>
        <source>Masks hold the places that together receive this share of the attention. Used for the masks only.</source>
        <translation>Las máscaras contienen los lugares que en conjunto reciben esta parte de la atención. Solo se usa para las máscaras.</translation>
    </message>
    <message>
        <source>Attention</source>
        <translation>Atención</translation>
    </message>
    <message>
        <source>Attention relative to an even spread (GeoTIFF).</source>
        <translation>Atención respecto a un reparto uniforme (GeoTIFF).</translation>
    </message>
    <message>
        <source>Attention masks</source>
        <translation>Máscaras de atención</translation>
    </message>
    <message>
        <source>1 where the attention mass lies, 0 elsewhere; always one band per head.</source>
        <translation>1 donde está la masa de atención, 0 en el resto; siempre una banda por cabeza.</translation>
    </message>
    <message>
        <source>Calibrate Sentinel-1 GRD</source>
        <translation>Calibrar Sentinel-1 GRD</translation>
    </message>
    <message>
        <source>sar,sentinel-1,grd,safe,radar,calibration,sigma0,gamma0,backscatter,thermal noise,border noise,geocode,terrain correction,dem</source>
        <translation>sar,sentinel-1,grd,safe,radar,calibración,sigma0,gamma0,retrodispersión,ruido térmico,ruido de borde,geocodificar,corrección del terreno,mde</translation>
    </message>
    <message>
        <source>Makes a map of backscatter from a Sentinel-1 GRD product as downloaded: calibrated to gamma0 or sigma0 with the product's own tables, thermal noise removed, noise at the borders masked (in products before 2018), and placed on a grid in UTM by its ground control points. There is a band for each polarisation, named VV, VH (or HH, HV), so that Land cover finds them.

In mountains and hills, places are displaced towards the radar by about their height above the surroundings, or more. An elevation model that covers the scene corrects this (terrain correction by the range-Doppler equations). Brightness is not corrected: slopes that face the radar are too bright. Where that matters, use a radiometrically terrain-corrected product (RTC), or the Sentinel Application Platform (SNAP).

Land cover, Attention maps and the others accept manifest.safe too, and calibrate it themselves; calibrating it once saves time if you make several maps. A whole IW product takes minutes, and about 8 GB of disk space, half of it temporarily.</source>
        <translation>Crea un mapa de retrodispersión a partir de un producto GRD de Sentinel-1 tal como se descarga: calibrado a gamma0 o sigma0 con las tablas del propio producto, sin el ruido térmico, con el ruido de los bordes enmascarado (en productos anteriores a 2018) y situado en una cuadrícula UTM mediante sus puntos de control. Tiene una banda por polarización, llamada VV, VH (o HH, HV), para que «Cobertura del suelo» las encuentre.

En montañas y colinas los lugares aparecen desplazados hacia el radar, aproximadamente tanto como se elevan sobre su entorno, o más. Un modelo de elevaciones que cubra la escena lo corrige (corrección del terreno con las ecuaciones de distancia y Doppler). El brillo no se corrige: las laderas orientadas hacia el radar son demasiado brillantes. Si eso importa, usar un producto con corrección radiométrica del terreno (RTC), o la Sentinel Application Platform (SNAP).

«Cobertura del suelo», «Mapas de atención» y los demás también admiten manifest.safe y lo calibran por sí mismos; calibrarlo una sola vez ahorra tiempo si se hacen varios mapas. Un producto IW completo tarda minutos y ocupa unos 8 GB en el disco, la mitad de forma temporal.</translation>
    </message>
    <message>
        <source>Sentinel-1 products (manifest.safe *.zip *.SAFE *.safe)</source>
        <translation>Productos de Sentinel-1 (manifest.safe *.zip *.SAFE *.safe)</translation>
    </message>
    <message>
        <source>All files (*)</source>
        <translation>Todos los archivos (*)</translation>
    </message>
    <message>
        <source>Sentinel-1 GRD product</source>
        <translation>Producto GRD de Sentinel-1</translation>
    </message>
    <message>
        <source>The product as downloaded: its zip, or manifest.safe in its unpacked folder, or that folder.</source>
        <translation>El producto tal como se descarga: su zip, o el manifest.safe de su carpeta descomprimida, o esa carpeta.</translation>
    </message>
    <message>
        <source>Backscatter</source>
        <translation>Retrodispersión</translation>
    </message>
    <message>
        <source>gamma0: per area perpendicular to the radar beam, which depends less on the incidence angle (the bundled model expects it). sigma0: per area of ground.</source>
        <translation>gamma0: por área perpendicular al haz del radar, que depende menos del ángulo de incidencia (el modelo incluido la espera). sigma0: por área del suelo.</translation>
    </message>
    <message>
        <source>Units</source>
        <translation>Unidades</translation>
    </message>
    <message>
        <source>linear_power, which may be averaged and resampled; or db (decibels), the usual form for display.</source>
        <translation>linear_power, que se puede promediar y remuestrear; o db (decibelios), la forma habitual de mostrarla.</translation>
    </message>
    <message>
        <source>Pixel size [m]</source>
        <translation>Tamaño de píxel [m]</translation>
    </message>
    <message>
        <source>Pixel size of the result in metres; that of the product if empty (10 m for IW GRDH).</source>
        <translation>Tamaño de píxel del resultado, en metros; el del producto si se deja vacío (10 m en IW GRDH).</translation>
    </message>
    <message>
        <source>Extent</source>
        <translation>Extensión</translation>
    </message>
    <message>
        <source>Only this part is calibrated; the whole product if empty. Any CRS.</source>
        <translation>Solo se calibra esta parte; el producto entero si se deja vacío. En cualquier SRC.</translation>
    </message>
    <message>
        <source>Backscatter map</source>
        <translation>Mapa de retrodispersión</translation>
    </message>
    <message>
        <source>Backscatter, a band for each polarisation (GeoTIFF).</source>
        <translation>Retrodispersión, una banda por polarización (GeoTIFF).</translation>
    </message>
    <message>
        <source>Elevation model</source>
        <translation>Modelo de elevaciones</translation>
    </message>
    <message>
        <source>Heights in metres or feet, in any CRS, such as tiles of the Copernicus DEM or SRTM. It should cover the scene: the result has no values where it has none. Without it there is no terrain correction.</source>
        <translation>Alturas en metros o pies, en cualquier SRC, como las teselas del DEM de Copernicus o SRTM. Debe cubrir la escena: el resultado no tiene valores donde faltan alturas. Sin él no hay corrección del terreno.</translation>
    </message>
    <message>
        <source>Heights above</source>
        <translation>Alturas sobre</translation>
    </message>
    <message>
        <source>geoid: mean sea level, as in the Copernicus DEM, SRTM and most others (EGM96 is used). ellipsoid: the WGS 84 ellipsoid. The wrong choice displaces the result by tens of metres.</source>
        <translation>geoid: el nivel medio del mar, como en el DEM de Copernicus, SRTM y la mayoría (se usa EGM96). ellipsoid: el elipsoide WGS 84. La elección equivocada desplaza el resultado decenas de metros.</translation>
    </message>
    <message>
        <source>There is no file or folder {}.</source>
        <translation>No existe el archivo ni la carpeta {}.</translation>
    </message>
    <message>
        <source>Bands: {}.</source>
        <translation>Bandas: {}.</translation>
    </message>
    <message>
        <source>The backend reported success, but {} does not exist.</source>
        <translation>El motor comunicó que terminó bien, pero {} no existe.</translation>
    </message>
    <message>
        <source>Embeddings from SAR</source>
        <translation>Incrustaciones (embeddings) a partir de SAR</translation>
    </message>
    <message>
        <source>sar,sentinel-1,radar,embeddings,features,pca,vision transformer,vit,dino,self-supervised</source>
        <translation>sar,sentinel-1,radar,incrustaciones,embeddings,características,acp,pca,transformador de visión,vit,dino,autosupervisado</translation>
    </message>
    <message>
        <source>Writes the features that the vision transformer computes for every place, one band each (192 for the bundled model), as input for your own classifier or clustering.

There is one set of features for each patch of the model, for the bundled model 8 x 8 pixels of 10 m. So the result has pixels of 80 m, with the CRS and the upper left corner of the input. On the input's own grid the file is 64 times as large and holds no more information: values between patches are interpolated.

The picture shows the first three principal components of this scene's features as red, green and blue. Places of one colour are similar to the model; colours of different scenes can't be compared.</source>
        <translation>Escribe las características que el transformador de visión calcula para cada lugar, una por banda (192 para el modelo incluido), como entrada para un clasificador o un agrupamiento propios.

Hay un conjunto de características por cada parche del modelo, que en el modelo incluido son 8 x 8 píxeles de 10 m. Por eso el resultado tiene píxeles de 80 m, con el SRC y la esquina superior izquierda de la entrada. En la cuadrícula de la entrada el archivo es 64 veces mayor y no contiene más información: los valores entre los parches son interpolados.

La imagen muestra en rojo, verde y azul las tres primeras componentes principales de las características de esta escena. Los lugares de un mismo color son parecidos para el modelo; los colores de escenas distintas no se pueden comparar.</translation>
    </message>
    <message>
        <source>Grid</source>
        <translation>Cuadrícula</translation>
    </message>
    <message>
        <source>patch: one pixel for each patch of the model (80 m for the bundled model), aligned with the input. input: the pixels of the input, interpolated; large, for tools that need equal grids.</source>
        <translation>patch: un píxel por cada parche del modelo (80 m para el modelo incluido), alineado con la entrada. input: los píxeles de la entrada, interpolados; ocupa mucho, para herramientas que necesitan cuadrículas iguales.</translation>
    </message>
    <message>
        <source>The block whose features are written, counted from 0; -1 is the last one.</source>
        <translation>El bloque cuyas características se escriben, contado desde 0; -1 es el último.</translation>
    </message>
    <message>
        <source>Embeddings</source>
        <translation>Incrustaciones</translation>
    </message>
    <message>
        <source>Features of each place, one band each (GeoTIFF).</source>
        <translation>Características de cada lugar, una por banda (GeoTIFF).</translation>
    </message>
    <message>
        <source>Principal components</source>
        <translation>Componentes principales</translation>
    </message>
    <message>
        <source>The first three principal components of the scene's features as red, green and blue.</source>
        <translation>Las tres primeras componentes principales de las características de la escena, en rojo, verde y azul.</translation>
    </message>
    <message>
        <source>Land cover from SAR</source>
        <translation>Cobertura del suelo a partir de SAR</translation>
    </message>
    <message>
        <source>sar,sentinel-1,radar,backscatter,land cover,classification,segmentation,worldcover,dino,deep learning</source>
        <translation>sar,sentinel-1,radar,retrodispersión,cobertura del suelo,ocupación del suelo,clasificación,segmentación,worldcover,dino,aprendizaje profundo,land cover</translation>
    </message>
    <message>
        <source>Makes a land-cover map from Sentinel-1 backscatter (VV and VH) with a vision transformer that was pre-trained by self-distillation (DINO).

The map has the grid and the CRS of the input, the legend of the model with names and colours, and no data where the input has none. Any extent works: the raster is read in tiles. The model runs in a Python process of its own, so PyTorch is not needed in QGIS.

The bundled model has the four classes that one radar image can tell apart: Tree cover, Open land, Built-up, and Water or very smooth surface. Fields, grass, shrub and bare soil are one class, open land. Smooth bare fields, runways, smooth snow, sand and radar shadow look like water to a radar. For crops and other classes, use 'Train own classes from samples', or a model of several dates.

A model is only as good as its training data; the model's card describes them and gives the accuracy on held-out places. Check the map at places that you know.</source>
        <translation>Hace un mapa de cobertura del suelo a partir de la retrodispersión de Sentinel-1 (VV y VH) con un transformador de visión preentrenado por autodestilación (DINO).

El mapa tiene la cuadrícula y el SRC de la entrada, la leyenda del modelo con nombres y colores, y queda sin datos donde la entrada no los tiene. Sirve cualquier extensión: el ráster se lee por teselas. El modelo se ejecuta en un proceso de Python propio, de modo que no hace falta PyTorch en QGIS.

El modelo incluido tiene las cuatro clases que una sola imagen de radar permite distinguir: arbolado (Tree cover), terreno abierto (Open land), zonas construidas (Built-up) y agua o superficie muy lisa (Water or very smooth surface). Cultivos, pastos, matorral y suelo desnudo son una sola clase, terreno abierto. Los campos desnudos y lisos, las pistas de aterrizaje, la nieve lisa, la arena y la sombra de radar parecen agua para un radar. Para cultivos y otras clases, usar «Entrenar clases propias con muestras» o un modelo de varias fechas.

Un modelo solo es tan bueno como sus datos de entrenamiento; la ficha del modelo los describe e indica la exactitud en lugares reservados para la validación. Conviene comprobar el mapa en lugares conocidos.</translation>
    </message>
    <message>
        <source>Land cover</source>
        <translation>Cobertura del suelo</translation>
    </message>
    <message>
        <source>Class of each pixel (GeoTIFF with colours and names).</source>
        <translation>Clase de cada píxel (GeoTIFF con colores y nombres).</translation>
    </message>
    <message>
        <source>Confidence</source>
        <translation>Confianza</translation>
    </message>
    <message>
        <source>Probability of the chosen class. Models tend to be overconfident.</source>
        <translation>Probabilidad de la clase elegida. Los modelos tienden a un exceso de confianza.</translation>
    </message>
    <message>
        <source>Class probabilities</source>
        <translation>Probabilidades de las clases</translation>
    </message>
    <message>
        <source>One band per class of the model.</source>
        <translation>Una banda por clase del modelo.</translation>
    </message>
    <message>
        <source>{value:&gt;4}  {name}: {pixels} px ({share:.1f} %)</source>
        <translation>{value:&gt;4}  {name}: {pixels} px ({share:.1f} %)</translation>
    </message>
    <message>
        <source>No pixel of the input is valid: the map is empty.</source>
        <translation>Ningún píxel de la entrada es válido: el mapa está vacío.</translation>
    </message>
    <message>
        <source>To copy the map, take its files together: {}.</source>
        <translation>Para copiar el mapa, llevar juntos sus archivos: {}.</translation>
    </message>
    <message>
        <source>'{}' is for one band. Choose that band in 'Bands', or set the parameter to auto.</source>
        <translation>«{}» es para una sola banda. Elegir esa banda en «Bandas», o dejar el parámetro en auto.</translation>
    </message>
    <message>
        <source>Polarisation of a single band</source>
        <translation>Polarización de una sola banda</translation>
    </message>
    <message>
        <source>The model has no band {band}; it has {bands}. Choose another model or polarisation.</source>
        <translation>El modelo no tiene la banda {band}; tiene {bands}. Elegir otro modelo u otra polarización.</translation>
    </message>
    <message>
        <source>Done in {:.1f} s.</source>
        <translation>Terminado en {:.1f} s.</translation>
    </message>
    <message>
        <source>Only this part of the raster is mapped, snapped to whole pixels; all of it if empty. Any CRS.</source>
        <translation>Solo se cartografía esta parte del ráster, ajustada a píxeles enteros; todo el ráster si se deja vacío. Cualquier SRC.</translation>
    </message>
    <message>
        <source>SAR raster</source>
        <translation>Ráster SAR</translation>
    </message>
    <message>
        <source>Sentinel-1 or similar backscatter in a raster file, in dB, linear power or amplitude. Or manifest.safe of a Sentinel-1 GRD product as downloaded, which is calibrated first.</source>
        <translation>Retrodispersión de Sentinel-1 o similar en un archivo ráster, en dB, potencia lineal o amplitud. O el manifest.safe de un producto GRD de Sentinel-1 tal como se descarga, que antes se calibra.</translation>
    </message>
    <message>
        <source>Further rasters of the scene</source>
        <translation>Otros rásteres de la escena</translation>
    </message>
    <message>
        <source>If each polarisation is in a separate file: the other files, on the same grid. Their bands follow those of the SAR raster. Bands are found by their descriptions, or by VV and VH in the file names.</source>
        <translation>Si cada polarización está en un archivo aparte: los demás archivos, con la misma cuadrícula. Sus bandas siguen a las del ráster SAR. Las bandas se encuentran por sus descripciones, o por VV y VH en los nombres de los archivos.</translation>
    </message>
    <message>
        <source>Bands</source>
        <translation>Bandas</translation>
    </message>
    <message>
        <source>Bands of the raster in the order of the model's bands (for the bundled model VV, VH). If empty, they are found by their descriptions, or else the first ones are used.</source>
        <translation>Bandas del ráster en el orden de las bandas del modelo (para el modelo incluido, VV, VH). Si se deja vacío, se buscan por sus descripciones; si no las hay, se usan las primeras.</translation>
    </message>
    <message>
        <source>If the raster has one band, without a name that tells its polarisation: which one it is. The model then runs without the others, and the map is less accurate. auto looks at the names.</source>
        <translation>Si el ráster tiene una sola banda, sin un nombre que indique su polarización: cuál es. El modelo se ejecuta entonces sin las demás, y el mapa es menos exacto. auto atiende a los nombres.</translation>
    </message>
    <message>
        <source>Units of the pixel values: db (decibels), linear_power (sigma0 or gamma0 as power), amplitude (its square root). auto decides from the values, and reports the decision in the log.</source>
        <translation>Unidades de los valores de los píxeles: db (decibelios), linear_power (sigma0 o gamma0 como potencia), amplitude (su raíz cuadrada). auto lo decide por los valores y anota la decisión en el registro.</translation>
    </message>
    <message>
        <source>Accept implausible values</source>
        <translation>Aceptar valores inverosímiles</translation>
    </message>
    <message>
        <source>Values that can't be backscatter, such as values scaled to 0…1 or coherence, are refused. Check this box to map them anyway; the log and the file say so.</source>
        <translation>Se rechazan los valores que no pueden ser retrodispersión, como los escalados a 0…1 o la coherencia. Marque esta casilla para cartografiarlos de todos modos; el registro y el archivo lo indican.</translation>
    </message>
    <message>
        <source>Model</source>
        <translation>Modelo</translation>
    </message>
    <message>
        <source>none</source>
        <translation>ninguno</translation>
    </message>
    <message>
        <source>Name of an installed model, or the path of a model folder (one that holds card.json and model.safetensors). The default model if empty. Installed: {}. More are added in the menu Plugins &gt; SAR Land Cover (DINO) &gt; Models…</source>
        <translation>Nombre de un modelo instalado, o ruta de una carpeta de modelo (la que contiene card.json y model.safetensors). El modelo predeterminado si se deja vacío. Instalados: {}. Se añaden más en el menú Complementos &gt; SAR Land Cover (DINO) &gt; Modelos…</translation>
    </message>
    <message>
        <source>Transformer block</source>
        <translation>Bloque del transformador</translation>
    </message>
    <message>
        <source>Device</source>
        <translation>Dispositivo</translation>
    </message>
    <message>
        <source>Where the model runs; auto uses a GPU if a usable one is found (cuda: NVIDIA or AMD, mps: Apple).</source>
        <translation>Dónde se ejecuta el modelo; auto usa una GPU si hay una utilizable (cuda: NVIDIA o AMD; mps: Apple).</translation>
    </message>
    <message>
        <source>Batch size</source>
        <translation>Tamaño de lote</translation>
    </message>
    <message>
        <source>Tiles per batch; 0 chooses by device. Smaller batches need less memory.</source>
        <translation>Teselas por lote; 0 lo elige según el dispositivo. Los lotes más pequeños necesitan menos memoria.</translation>
    </message>
    <message>
        <source>Model used</source>
        <translation>Modelo usado</translation>
    </message>
    <message>
        <source>Device used</source>
        <translation>Dispositivo usado</translation>
    </message>
    <message>
        <source>onnxruntime: ONNX Runtime on a processor.</source>
        <translation>onnxruntime: ONNX Runtime en un procesador.</translation>
    </message>
    <message>
        <source>Engine</source>
        <translation>Motor de cálculo</translation>
    </message>
    <message>
        <source>Library that runs the model. auto: OpenVINO on a processor if it is installed, otherwise PyTorch, with the same result. openvino-int8 computes in 8-bit integers: two to three times as fast on many processors, with a slightly different map.</source>
        <translation>Biblioteca que ejecuta el modelo. auto: OpenVINO en un procesador si está instalado; si no, PyTorch, con el mismo resultado. openvino-int8 calcula con números enteros de 8 bits: de dos a tres veces más rápido en muchos procesadores, con un mapa ligeramente distinto.</translation>
    </message>
    <message>
        <source>Similarity to places from SAR</source>
        <translation>Similitud con lugares a partir de SAR</translation>
    </message>
    <message>
        <source>sar,sentinel-1,radar,similarity,search,find,cosine,embeddings,vision transformer,vit,dino</source>
        <translation>sar,sentinel-1,radar,similitud,semejanza,buscar,encontrar,coseno,incrustaciones,embeddings,transformador de visión,vit,dino,similarity</translation>
    </message>
    <message>
        <source>Shows how similar every place of the scene is to a point that you choose, or to the points of a layer: the cosine similarity of the vision transformer's features, from 1 for the point itself down to -1.

With several points, each place gets its similarity to the most similar one. Points outside the raster, or where it has no data, are left out with a warning.

Features belong to patches of the model (8 x 8 pixels of 10 m for the bundled one): objects much smaller than that can't be found. To try points by clicking, use the map tool in the menu SAR Land Cover (DINO).</source>
        <translation>Muestra cuánto se parece cada lugar de la escena a un punto elegido, o a los puntos de una capa: la similitud del coseno de las características del transformador de visión, de 1 en el propio punto hasta -1.

Con varios puntos, cada lugar recibe su similitud con el más parecido. Los puntos fuera del ráster, o donde este no tiene datos, se excluyen con una advertencia.

Las características corresponden a parches del modelo (8 x 8 píxeles de 10 m en el modelo incluido): no se pueden encontrar objetos mucho más pequeños. Para probar puntos con clics, usar la herramienta de mapa del menú SAR Land Cover (DINO).</translation>
    </message>
    <message>
        <source>Point</source>
        <translation>Punto</translation>
    </message>
    <message>
        <source>The place to compare others with, in any CRS. May be empty if there is a layer of points.</source>
        <translation>El lugar con el que se comparan los demás, en cualquier SRC. Puede quedar vacío si hay una capa de puntos.</translation>
    </message>
    <message>
        <source>Points</source>
        <translation>Puntos</translation>
    </message>
    <message>
        <source>More such places: a layer of at most 100 points, or its selected points, in any CRS.</source>
        <translation>Más lugares de ese tipo: una capa de 100 puntos como máximo, o sus puntos seleccionados, en cualquier SRC.</translation>
    </message>
    <message>
        <source>input: the pixels of the input, with features interpolated between patches. patch: one pixel for each patch of the model (80 m for the bundled one), aligned with the input; smaller and faster.</source>
        <translation>input: los píxeles de la entrada, con las características interpoladas entre los parches. patch: un píxel por cada parche del modelo (80 m para el modelo incluido), alineado con la entrada; más pequeño y rápido.</translation>
    </message>
    <message>
        <source>The block whose features are compared, counted from 0; -1 is the last one.</source>
        <translation>El bloque cuyas características se comparan, contado desde 0; -1 es el último.</translation>
    </message>
    <message>
        <source>Similarity</source>
        <translation>Similitud</translation>
    </message>
    <message>
        <source>Cosine similarity, -1 to 1 (GeoTIFF).</source>
        <translation>Similitud del coseno, de -1 a 1 (GeoTIFF).</translation>
    </message>
    <message>
        <source>No place to compare with: give a point, or a layer of points.</source>
        <translation>No hay ningún lugar con el que comparar: indicar un punto o una capa de puntos.</translation>
    </message>
    <message>
        <source>The layer of points has no usable point. Choose another layer, or give a point.</source>
        <translation>La capa de puntos no contiene ningún punto utilizable. Elegir otra capa, o indicar un punto.</translation>
    </message>
    <message>
        <source>Train own classes from samples</source>
        <translation>Entrenar clases propias con muestras</translation>
    </message>
    <message>
        <source>sar,sentinel-1,radar,train,training,samples,classifier,supervised,own classes,dino</source>
        <translation>sar,sentinel-1,radar,entrenar,entrenamiento,muestras,clasificador,supervisado,clases propias,dino</translation>
    </message>
    <message>
        <source>Learns your own classes from points or polygons that you drew over a SAR raster, in about a minute, and writes a model folder, which 'Land cover from SAR' then offers among its models.

Draw samples of each class in several places, spread over the area to be mapped: a hundred small polygons are better than one large one. The accuracy in the log is measured on blocks of samples that are held out in turn; it applies to places like those of the samples, not to others.

This is the way to crops and other classes that the bundled model doesn't have. Choose a date on which they look different: classes of equal backscatter can't be separated, whatever the samples.

Classes that are whole numbers from 1 to 254 keep their values in the map; other classes get new values. If the layer is styled by categories of the field, the map has their names and colours.</source>
        <translation>Aprende clases propias a partir de puntos o polígonos dibujados sobre un ráster SAR, en un minuto más o menos, y escribe una carpeta de modelo, que «Cobertura del suelo a partir de SAR» ofrece desde entonces entre sus modelos.

Conviene dibujar muestras de cada clase en varios lugares, repartidas por la zona que se va a cartografiar: cien polígonos pequeños son mejores que uno grande. La exactitud que figura en el registro se mide en bloques de muestras apartados por turnos; vale para lugares como los de las muestras, no para otros.

Este es el camino hacia los cultivos y otras clases que el modelo incluido no tiene. Conviene elegir una fecha en la que se vean distintas: las clases de igual retrodispersión no se pueden separar, sean cuales sean las muestras.

Las clases que son números enteros de 1 a 254 conservan sus valores en el mapa; las demás reciben valores nuevos. Si la capa se representa por categorías del campo, el mapa lleva sus nombres y colores.</translation>
    </message>
    <message>
        <source>Samples</source>
        <translation>Muestras</translation>
    </message>
    <message>
        <source>Points or polygons, each of one class, in any CRS. A point stands for the pixel that it is in.</source>
        <translation>Puntos o polígonos, cada uno de una clase, en cualquier SRC. Un punto representa el píxel en el que se encuentra.</translation>
    </message>
    <message>
        <source>Class field</source>
        <translation>Campo de clase</translation>
    </message>
    <message>
        <source>Field of the samples that holds the class, as a number or a text.</source>
        <translation>Campo de las muestras que contiene la clase, como número o como texto.</translation>
    </message>
    <message>
        <source>Title of the model</source>
        <translation>Título del modelo</translation>
    </message>
    <message>
        <source>Title of the model in lists; the name of its folder if empty.</source>
        <translation>Título del modelo en las listas; el nombre de su carpeta si se deja vacío.</translation>
    </message>
    <message>
        <source>Measure the accuracy</source>
        <translation>Medir la exactitud</translation>
    </message>
    <message>
        <source>Hold out samples block by block to measure the accuracy. This trains a few more classifiers.</source>
        <translation>Reservar muestras, bloque a bloque, para medir la exactitud. Se entrenan unos clasificadores más.</translation>
    </message>
    <message>
        <source>Model folder</source>
        <translation>Carpeta del modelo</translation>
    </message>
    <message>
        <source>Folder to write the model into: a new one, or that of an older model, which is then replaced. In the folder 'models' of your QGIS profile, which is proposed, the model gets a new folder under its title, or under the name of the samples.</source>
        <translation>Carpeta en la que se escribe el modelo: una nueva, o la de un modelo anterior, que se reemplaza. En la carpeta «models» del perfil de QGIS, que es la propuesta, el modelo recibe una carpeta nueva con su título, o con el nombre de las muestras.</translation>
    </message>
    <message>
        <source>Overall accuracy on held-out samples, 0 to 1</source>
        <translation>Exactitud global en las muestras apartadas, de 0 a 1</translation>
    </message>
    <message>
        <source>Mean IoU on held-out samples, 0 to 1</source>
        <translation>IoU media en las muestras apartadas, de 0 a 1</translation>
    </message>
    <message>
        <source>Spatial blocks of the samples</source>
        <translation>Bloques espaciales de las muestras</translation>
    </message>
    <message>
        <source>The samples have no CRS; the CRS of the raster is assumed.</source>
        <translation>Las muestras no tienen SRC; se supone el del ráster.</translation>
    </message>
    <message>
        <source>The model is written to a temporary folder, which QGIS deletes when it exits.</source>
        <translation>El modelo se guarda en una carpeta temporal, que QGIS elimina al cerrarse.</translation>
    </message>
    <message>
        <source>To map with it, choose the model '{title}' in 'Land cover from SAR'. Its folder: {folder}</source>
        <translation>Para cartografiar con él, elegir el modelo «{title}» en «Cobertura del suelo a partir de SAR». Su carpeta: {folder}</translation>
    </message>
    <message>
        <source>Features in the samples: {}.</source>
        <translation>Objetos espaciales en las muestras: {}.</translation>
    </message>
    <message>
        <source>Backend {}.</source>
        <translation>Motor {}.</translation>
    </message>
    <message>
        <source>Model {model} on {device}, backend {version}.</source>
        <translation>Modelo {model} en {device}, motor {version}.</translation>
    </message>
    <message>
        <source>it closed its output without a result</source>
        <translation>cerró su salida sin dar un resultado</translation>
    </message>
    <message>
        <source>it was killed by signal {}</source>
        <translation>lo terminó la señal {}</translation>
    </message>
    <message>
        <source>exit code {}</source>
        <translation>código de salida {}</translation>
    </message>
    <message>
        <source>the Python package '{}' is missing</source>
        <translation>falta el paquete de Python «{}»</translation>
    </message>
    <message>
        <source>The backend can't start with {python}: {what}.</source>
        <translation>El motor no puede arrancar con {python}: {what}.</translation>
    </message>
    <message>
        <source>The backend ended without a result ({}).</source>
        <translation>El motor terminó sin dar un resultado ({}).</translation>
    </message>
    <message>
        <source>Its last lines:</source>
        <translation>Sus últimas líneas:</translation>
    </message>
    <message>
        <source>Run it again with a smaller extent or batch size, or on the CPU; if it fails again, report these lines.</source>
        <translation>Ejecutarlo de nuevo con una extensión o un tamaño de lote menores, o en la CPU; si vuelve a fallar, notificar estas líneas.</translation>
    </message>
    <message>
        <source>The system may have run out of memory.</source>
        <translation>Es posible que el sistema se haya quedado sin memoria.</translation>
    </message>
    <message>
        <source>The Python interpreter {python} can't be started: {problem}</source>
        <translation>No se puede iniciar el intérprete de Python {python}: {problem}</translation>
    </message>
    <message>
        <source>Starting the backend</source>
        <translation>Iniciando el motor</translation>
    </message>
    <message>
        <source>The worker is running already (process {}).</source>
        <translation>El motor ya está en marcha (proceso {}).</translation>
    </message>
    <message>
        <source>Cancelled.</source>
        <translation>Cancelado.</translation>
    </message>
    <message>
        <source>less than a minute left</source>
        <translation>queda menos de un minuto</translation>
    </message>
    <message>
        <source>about {} min left</source>
        <translation>quedan unos {} min</translation>
    </message>
    <message>
        <source>about {hours} h {minutes} min left</source>
        <translation>quedan unas {hours} h {minutes} min</translation>
    </message>
    <message>
        <source>Creating the environment</source>
        <translation>Creando el entorno</translation>
    </message>
    <message>
        <source>Testing the environment</source>
        <translation>Probando el entorno</translation>
    </message>
    <message>
        <source>PyTorch and torchvision are pinned by version only: no hashes are known for this build.</source>
        <translation>PyTorch y torchvision están fijados solo por versión: no se conocen los hashes de esta compilación.</translation>
    </message>
    <message>
        <source>Unpacking</source>
        <translation>Desempaquetando</translation>
    </message>
    <message>
        <source>{}, device {}.</source>
        <translation>{}, dispositivo {}.</translation>
    </message>
    <message>
        <source>This PyTorch does not use the graphics card ({}); the processor is used.</source>
        <translation>Este PyTorch no usa la tarjeta gráfica ({}); se usa el procesador.</translation>
    </message>
    <message>
        <source>Free some space, or choose another folder.</source>
        <translation>Liberar espacio, o elegir otra carpeta.</translation>
    </message>
    <message>
        <source>About {} are needed in all.</source>
        <translation>Se necesitan unos {} en total.</translation>
    </message>
    <message>
        <source>The disk filled up: {}</source>
        <translation>El disco se ha llenado: {}</translation>
    </message>
    <message>
        <source>The backend in the new environment gave no valid answer.</source>
        <translation>El motor del nuevo entorno no dio una respuesta válida.</translation>
    </message>
    <message>
        <source>Try again; if it fails again, report this.</source>
        <translation>Intentarlo de nuevo; si vuelve a fallar, notificarlo.</translation>
    </message>
    <message>
        <source>A downloaded file does not have the pinned hash:</source>
        <translation>Un archivo descargado no tiene el hash fijado:</translation>
    </message>
    <message>
        <source>Try again; if it fails again, something between this machine and the package index alters files.</source>
        <translation>Intentarlo de nuevo; si vuelve a fallar, algo altera los archivos entre este equipo y el índice de paquetes.</translation>
    </message>
    <message>
        <source>If it fails again, report it with the log.</source>
        <translation>Si vuelve a fallar, notificarlo junto con el registro.</translation>
    </message>
    <message>
        <source>Check the internet connection and the proxy (QGIS: Settings &gt; Options &gt; Network). Without a connection, download the wheels on another machine and choose their folder here.</source>
        <translation>Comprobar la conexión a Internet y el proxy (QGIS: Configuración &gt; Opciones &gt; Red). Sin conexión, descargar los paquetes wheel en otro equipo y elegir aquí su carpeta.</translation>
    </message>
    <message>
        <source>{} failed: {}</source>
        <translation>{} falló: {}</translation>
    </message>
    <message>
        <source>no output</source>
        <translation>sin salida</translation>
    </message>
    <message>
        <source>QGIS: {}</source>
        <translation>QGIS: {}</translation>
    </message>
    <message>
        <source>This Python: {}</source>
        <translation>Este Python: {}</translation>
    </message>
    <message>
        <source>System: {}</source>
        <translation>Sistema: {}</translation>
    </message>
    <message>
        <source>Graphics card: {}</source>
        <translation>Tarjeta gráfica: {}</translation>
    </message>
    <message>
        <source>no NVIDIA card found</source>
        <translation>no se encontró ninguna tarjeta NVIDIA</translation>
    </message>
    <message>
        <source>Plugin: {}</source>
        <translation>Complemento: {}</translation>
    </message>
    <message>
        <source>Managed environment: {}</source>
        <translation>Entorno del complemento: {}</translation>
    </message>
    <message>
        <source>Interpreter set in the plugin: {}</source>
        <translation>Intérprete configurado en el complemento: {}</translation>
    </message>
    <message>
        <source>not in this Python</source>
        <translation>no disponible en este Python</translation>
    </message>
    <message>
        <source>none in {}</source>
        <translation>ninguno en {}</translation>
    </message>
    <message>
        <source>Backend: none. {}</source>
        <translation>Motor: ninguno. {}</translation>
    </message>
    <message>
        <source>Backend's Python: {}</source>
        <translation>Python del motor: {}</translation>
    </message>
    <message>
        <source>Backend: it fails: {}</source>
        <translation>Motor: falla: {}</translation>
    </message>
    <message>
        <source>Installation: {}</source>
        <translation>Instalación: {}</translation>
    </message>
    <message>
        <source>missing</source>
        <translation>falta</translation>
    </message>
    <message>
        <source>Device: {} (available: {})</source>
        <translation>Dispositivo: {} (disponibles: {})</translation>
    </message>
    <message>
        <source>Models: {}</source>
        <translation>Modelos: {}</translation>
    </message>
    <message>
        <source>Open the menu Plugins &gt; SAR Land Cover (DINO) &gt; Set up backend…, or run in a shell: {command}. If you have a Python environment with the packages in {list}, choose its interpreter in the same menu, or name it in the environment variable SARDINO_PYTHON.</source>
        <translation>Abrir el menú Complementos &gt; SAR Land Cover (DINO) &gt; Configurar el motor…, o ejecutar en una terminal: {command}. Si ya hay un entorno de Python con los paquetes de {list}, elegir su intérprete en el mismo menú, o indicarlo en la variable de entorno SARDINO_PYTHON.</translation>
    </message>
    <message>
        <source>Set up the backend again, and choose With PyTorch: menu Plugins &gt; SAR Land Cover (DINO) &gt; Set up backend…, or run in a shell: {}</source>
        <translation>Configurar el motor de nuevo y elegir «Con PyTorch»: menú Complementos &gt; SAR Land Cover (DINO) &gt; Configurar el motor…, o ejecutar en una terminal: {}</translation>
    </message>
    <message>
        <source>Another installation into {} is running (process {}).</source>
        <translation>Hay otra instalación en curso en {} (proceso {}).</translation>
    </message>
    <message>
        <source>Wait until it is done.</source>
        <translation>Esperar a que termine.</translation>
    </message>
    <message>
        <source>Check that the disk has space left, and that you may write to {}.</source>
        <translation>Comprobar que queda espacio en el disco y que se puede escribir en {}.</translation>
    </message>
    <message>
        <source>Done</source>
        <translation>Terminado</translation>
    </message>
    <message>
        <source>{} is kept: it was not made by this plugin, or other files were added to it.</source>
        <translation>Se conserva {}: no la creó este complemento, o se le añadieron otros archivos.</translation>
    </message>
    <message>
        <source>{free} are free in {folder}, and about {needed} are needed.</source>
        <translation>Hay {free} libres en {folder}, y se necesitan unos {needed}.</translation>
    </message>
    <message>
        <source>This build failed: {}</source>
        <translation>Esta compilación falló: {}</translation>
    </message>
    <message>
        <source>PyTorch: {}.</source>
        <translation>PyTorch: {}.</translation>
    </message>
    <message>
        <source>it doesn't start</source>
        <translation>no arranca</translation>
    </message>
    <message>
        <source>Python {}.{}, but at least {}.{} is needed</source>
        <translation>Python {}.{}, pero se necesita al menos {}.{}</translation>
    </message>
    <message>
        <source>a 64-bit Python is needed</source>
        <translation>se necesita un Python de 64 bits</translation>
    </message>
    <message>
        <source>the module {} is missing</source>
        <translation>falta el módulo {}</translation>
    </message>
    <message>
        <source>(on Debian and Ubuntu: sudo apt install python3-venv)</source>
        <translation>(en Debian y Ubuntu: sudo apt install python3-venv)</translation>
    </message>
    <message>
        <source>there is no build of {} for {} with Python {}</source>
        <translation>no hay ninguna compilación de {} para {} con Python {}</translation>
    </message>
    <message>
        <source>choose {}</source>
        <translation>elegir «{}»</translation>
    </message>
    <message>
        <source>take Python {}</source>
        <translation>tome Python {}</translation>
    </message>
    <message>
        <source>a virtual environment made with it doesn't start</source>
        <translation>un entorno virtual creado con él no arranca</translation>
    </message>
    <message>
        <source>{}: there is no such program</source>
        <translation>{}: no existe ese programa</translation>
    </message>
    <message>
        <source>none found</source>
        <translation>no se encontró ninguno</translation>
    </message>
    <message>
        <source>For mapping</source>
        <translation>Para cartografiar</translation>
    </message>
    <message>
        <source>With PyTorch</source>
        <translation>Con PyTorch</translation>
    </message>
    <message>
        <source>With PyTorch: for NVIDIA or Apple graphics, and to train</source>
        <translation>Con PyTorch: para tarjetas gráficas de NVIDIA o Apple, y para entrenar</translation>
    </message>
    <message>
        <source>there is no such file</source>
        <translation>no existe ese archivo</translation>
    </message>
    <message>
        <source>this is not a file</source>
        <translation>no es un archivo</translation>
    </message>
    <message>
        <source>the file is not executable</source>
        <translation>el archivo no es ejecutable</translation>
    </message>
    <message>
        <source>environment variable {}</source>
        <translation>variable de entorno {}</translation>
    </message>
    <message>
        <source>setting of the plugin</source>
        <translation>configuración del complemento</translation>
    </message>
    <message>
        <source>not set</source>
        <translation>sin establecer</translation>
    </message>
    <message>
        <source>environment managed by the plugin</source>
        <translation>entorno gestionado por el complemento</translation>
    </message>
    <message>
        <source>The Python interpreter {path} can't be used ({origin}): {problem}.</source>
        <translation>No se puede usar el intérprete de Python {path} ({origin}): {problem}.</translation>
    </message>
    <message>
        <source>Correct it, or remove it.</source>
        <translation>Corregirlo o quitarlo.</translation>
    </message>
    <message>
        <source>Looked for it at: {}.</source>
        <translation>Se buscó en: {}.</translation>
    </message>
    <message>
        <source>No Python interpreter for the backend is set up.</source>
        <translation>No hay ningún intérprete de Python configurado para el motor.</translation>
    </message>
    <message>
        <source>The plugin is incomplete: no folder 'backend' in {here} or {parent}.</source>
        <translation>El complemento está incompleto: no hay una carpeta «backend» en {here} ni en {parent}.</translation>
    </message>
    <message>
        <source>Install the plugin's zip again.</source>
        <translation>Volver a instalar el zip del complemento.</translation>
    </message>
    <message>
        <source>the default build</source>
        <translation>la compilación predeterminada</translation>
    </message>
    <message>
        <source>the CPU build, if pip's settings name an index that has it</source>
        <translation>la compilación para el procesador, si la configuración de pip indica un índice que la tiene</translation>
    </message>
    <message>
        <source>the build from the chosen source</source>
        <translation>la compilación del origen elegido</translation>
    </message>
    <message>
        <source>the default build, with CUDA for NVIDIA cards</source>
        <translation>la compilación predeterminada, con CUDA para tarjetas NVIDIA</translation>
    </message>
    <message>
        <source>the package index that {} is configured to use</source>
        <translation>el índice de paquetes que {} tiene configurado</translation>
    </message>
    <message>
        <source>Packages: {packages}, rasterio, scikit-learn and their dependencies, from {place}</source>
        <translation>Paquetes: {packages}, rasterio, scikit-learn y sus dependencias (origen: {place})</translation>
    </message>
    <message>
        <source>PyTorch: {}</source>
        <translation>PyTorch: {}</translation>
    </message>
    <message>
        <source>; otherwise </source>
        <translation>; si no, </translation>
    </message>
    <message>
        <source>Size: {}</source>
        <translation>Tamaño: {}</translation>
    </message>
    <message>
        <source>Folder: {}</source>
        <translation>Carpeta: {}</translation>
    </message>
    <message>
        <source>Built on: Python {version}, {path} (with {tool})</source>
        <translation>Basado en: Python {version}, {path} (con {tool})</translation>
    </message>
    <message>
        <source>Installed there now, and replaced when the new one works: {}</source>
        <translation>Instalado ahora allí, y sustituido cuando el nuevo funcione: {}</translation>
    </message>
    <message>
        <source>No hashes are known for {} with Python {}: versions are pinned, files are not checked.</source>
        <translation>No se conocen hashes para {} con Python {}: las versiones están fijadas, los archivos no se comprueban.</translation>
    </message>
    <message>
        <source>that of the Apple processor</source>
        <translation>la del procesador de Apple</translation>
    </message>
    <message>
        <source>This installation computes on the processor; With PyTorch uses the card.</source>
        <translation>Esta instalación calcula en el procesador; «Con PyTorch» usa la tarjeta.</translation>
    </message>
    <message>
        <source>For the smaller CPU build, choose PyTorch's package index for CPUs as the source of PyTorch.</source>
        <translation>Para la compilación más pequeña, solo para el procesador, elegir como origen de PyTorch el índice de paquetes de PyTorch para procesadores.</translation>
    </message>
    <message>
        <source>The default build of PyTorch for Windows does not use the card. For one that does, choose PyTorch's package index for CUDA as the source of PyTorch.</source>
        <translation>La compilación predeterminada de PyTorch para Windows no usa la tarjeta. Para una que la use, elegir como origen de PyTorch el índice de paquetes de PyTorch para CUDA.</translation>
    </message>
    <message>
        <source>unknown for this machine; about 130 MB to download on others</source>
        <translation>desconocido para este equipo; en otros, unos 130 MB de descarga</translation>
    </message>
    <message>
        <source>unknown for this machine; 0.2 to 3 GB to download on others</source>
        <translation>desconocido para este equipo; en otros, de 0.2 a 3 GB de descarga</translation>
    </message>
    <message>
        <source>with CUDA {}</source>
        <translation>con CUDA, {}</translation>
    </message>
    <message>
        <source>about {} to download, {} on disk</source>
        <translation>unos {} de descarga, {} en disco</translation>
    </message>
    <message>
        <source>There is no folder {}.</source>
        <translation>No existe la carpeta {}.</translation>
    </message>
    <message>
        <source>Choose a folder of wheels.</source>
        <translation>Elegir una carpeta con paquetes wheel.</translation>
    </message>
    <message>
        <source>With a folder of wheels no package index is used, but the source of PyTorch is an index.</source>
        <translation>Con una carpeta de paquetes wheel no se usa ningún índice, pero el origen de PyTorch es un índice.</translation>
    </message>
    <message>
        <source>Choose a folder as the source of PyTorch too, or leave one of the two empty.</source>
        <translation>Elegir también una carpeta como origen de PyTorch, o dejar vacío uno de los dos.</translation>
    </message>
    <message>
        <source>No suitable Python was found to build the environment on ({}).</source>
        <translation>No se encontró ningún Python adecuado para crear el entorno ({}).</translation>
    </message>
    <message>
        <source>Install a 64-bit Python ({} to 3.14) and try again, or name one.</source>
        <translation>Instalar un Python de 64 bits (de {} a 3.14) e intentarlo de nuevo, o indicar uno.</translation>
    </message>
    <message>
        <source>The plugin is incomplete: it has no list of packages.</source>
        <translation>El complemento está incompleto: no tiene la lista de paquetes.</translation>
    </message>
    <message>
        <source>Choose a new or an empty folder.</source>
        <translation>Elegir una carpeta nueva o vacía.</translation>
    </message>
    <message>
        <source>The folder {folder} holds {name}, which was not made by this plugin.</source>
        <translation>La carpeta {folder} contiene {name}, que no creó este complemento.</translation>
    </message>
    <message>
        <source>Downloading, {:.0f} MB of about {:.0f} MB</source>
        <translation>Descargando, {:.0f} MB de unos {:.0f} MB</translation>
    </message>
    <message>
        <source>{} is a file of another program.</source>
        <translation>{} es un archivo de otro programa.</translation>
    </message>
    <message>
        <source>Model card</source>
        <translation>Ficha del modelo</translation>
    </message>
    <message>
        <source>Diagnostics: SAR Land Cover (DINO)</source>
        <translation>Diagnóstico: SAR Land Cover (DINO)</translation>
    </message>
    <message>
        <source>Asking the backend; this takes some seconds…</source>
        <translation>Consultando al motor; tarda unos segundos…</translation>
    </message>
    <message>
        <source>Copy to clipboard</source>
        <translation>Copiar al portapapeles</translation>
    </message>
    <message>
        <source>Diagnostics</source>
        <translation>Diagnóstico</translation>
    </message>
    <message>
        <source>Default model; or the name or folder of another</source>
        <translation>Modelo predeterminado; o el nombre o la carpeta de otro</translation>
    </message>
    <message>
        <source>Choose the folder of a model</source>
        <translation>Elegir la carpeta de un modelo</translation>
    </message>
    <message>
        <source>What the model was trained on, its accuracy and limits</source>
        <translation>Con qué se entrenó el modelo, su exactitud y sus limitaciones</translation>
    </message>
    <message>
        <source>Folder of a model</source>
        <translation>Carpeta de un modelo</translation>
    </message>
    <message>
        <source>Models: SAR Land Cover (DINO)</source>
        <translation>Modelos: SAR Land Cover (DINO)</translation>
    </message>
    <message>
        <source>Add folder…</source>
        <translation>Añadir carpeta…</translation>
    </message>
    <message>
        <source>Add a model: a folder that holds card.json and model.safetensors</source>
        <translation>Añadir un modelo: una carpeta que contiene card.json y model.safetensors</translation>
    </message>
    <message>
        <source>Forget</source>
        <translation>Olvidar</translation>
    </message>
    <message>
        <source>Remove the model from this list. Its files are not deleted.</source>
        <translation>Quitar el modelo de esta lista. Sus archivos no se eliminan.</translation>
    </message>
    <message>
        <source>{} (default)</source>
        <translation>{} (predeterminado)</translation>
    </message>
    <message>
        <source>Removed from the list: {}. The folder was not changed.</source>
        <translation>Quitado de la lista: {}. La carpeta no se modificó.</translation>
    </message>
    <message>
        <source>The backend is checking {}; this takes some seconds…</source>
        <translation>El motor está comprobando {}; tarda unos segundos…</translation>
    </message>
    <message>
        <source>Checking the model</source>
        <translation>Comprobando el modelo</translation>
    </message>
    <message>
        <source>Not added: {}</source>
        <translation>No añadido: {}</translation>
    </message>
    <message>
        <source>Added: {}. Dialogs that are opened from now on offer it.</source>
        <translation>Añadido: {}. Los cuadros de diálogo que se abran a partir de ahora lo ofrecen.</translation>
    </message>
    <message>
        <source>Set up backend: SAR Land Cover (DINO)</source>
        <translation>Configurar el motor: SAR Land Cover (DINO)</translation>
    </message>
    <message>
        <source>Install</source>
        <translation>Instalar</translation>
    </message>
    <message>
        <source>Cancel installation</source>
        <translation>Cancelar la instalación</translation>
    </message>
    <message>
        <source>Other choices</source>
        <translation>Otras opciones</translation>
    </message>
    <message>
        <source>Folder of the environment</source>
        <translation>Carpeta del entorno</translation>
    </message>
    <message>
        <source>Found automatically</source>
        <translation>Se busca automáticamente</translation>
    </message>
    <message>
        <source>None: packages are downloaded</source>
        <translation>Ninguna: los paquetes se descargan</translation>
    </message>
    <message>
        <source>The default build</source>
        <translation>La compilación predeterminada</translation>
    </message>
    <message>
        <source>Address of a package index, or a folder, with another build of PyTorch: for the CPU only, which is smaller, or for CUDA on Windows. PyTorch's installation page lists the addresses.</source>
        <translation>Dirección de un índice de paquetes, o una carpeta, con otra compilación de PyTorch: solo para el procesador, que es más pequeña, o para CUDA en Windows. La página de instalación de PyTorch indica las direcciones.</translation>
    </message>
    <message>
        <source>For machines without a connection: a folder filled on a machine with the same system and Python with 'pip download --require-hashes --no-deps -d FOLDER -r requirements-mapping-locked.txt' (or requirements-pytorch-locked.txt).</source>
        <translation>Para equipos sin conexión: una carpeta llenada en un equipo con el mismo sistema y Python con «pip download --require-hashes --no-deps -d CARPETA -r requirements-mapping-locked.txt» (o requirements-pytorch-locked.txt).</translation>
    </message>
    <message>
        <source>Folder</source>
        <translation>Carpeta</translation>
    </message>
    <message>
        <source>Python to build on</source>
        <translation>Python de base</translation>
    </message>
    <message>
        <source>Folder of wheels</source>
        <translation>Carpeta de paquetes wheel</translation>
    </message>
    <message>
        <source>Source of PyTorch</source>
        <translation>Origen de PyTorch</translation>
    </message>
    <message>
        <source>Cancelling…</source>
        <translation>Cancelando…</translation>
    </message>
    <message>
        <source>The backend is set up. You can run the algorithms now.</source>
        <translation>El motor está configurado. Ya se pueden ejecutar los algoritmos.</translation>
    </message>
    <message>
        <source>The environment variable {} names another environment, which is used instead.</source>
        <translation>La variable de entorno {} indica otro entorno, que es el que se usa.</translation>
    </message>
    <message>
        <source>Cancelled. Nothing was changed.</source>
        <translation>Cancelado. No se cambió nada.</translation>
    </message>
    <message>
        <source>The algorithms run in a separate Python environment. It is set up once, in your QGIS profile; QGIS's own Python is not changed. Nothing is installed before you press Install.</source>
        <translation>Los algoritmos se ejecutan en un entorno de Python aparte. Se configura una sola vez, en el perfil de QGIS; el Python de QGIS no se modifica. No se instala nada antes de pulsar Instalar.</translation>
    </message>
    <message>
        <source>The backend, which computes the maps, is not set up yet.</source>
        <translation>El motor, que calcula los mapas, aún no está configurado.</translation>
    </message>
    <message>
        <source>Press 'Set up now' in the bar above the map.</source>
        <translation>Pulsar «Configurar ahora» en la barra sobre el mapa.</translation>
    </message>
    <message>
        <source>SAR Land Cover (DINO)</source>
        <translation>SAR Land Cover (DINO)</translation>
    </message>
    <message>
        <source>Set up now</source>
        <translation>Configurar ahora</translation>
    </message>
    <message>
        <source>Set up the backend of SAR Land Cover (DINO)</source>
        <translation>Configurar el motor de SAR Land Cover (DINO)</translation>
    </message>
    <message>
        <source>Unexpected {}: {}</source>
        <translation>Error inesperado {}: {}</translation>
    </message>
    <message>
        <source>Similarity to a place</source>
        <translation>Similitud con un lugar</translation>
    </message>
    <message>
        <source>This place lies outside the layer '{}'.</source>
        <translation>Este lugar está fuera de la capa «{}».</translation>
    </message>
    <message>
        <source>Select the raster layer to be searched in the layer panel first.</source>
        <translation>Seleccionar primero en el panel de capas la capa ráster en la que buscar.</translation>
    </message>
    <message>
        <source>'{}' is a result, and its scene is not in the project. Select the SAR raster.</source>
        <translation>«{}» es un resultado, y su escena no está en el proyecto. Seleccionar el ráster SAR.</translation>
    </message>
    <message>
        <source>The scene is read once; later clicks are answered immediately.</source>
        <translation>La escena se lee una sola vez; los clics posteriores se responden al momento.</translation>
    </message>
    <message>
        <source>Similarity in {}</source>
        <translation>Similitud en {}</translation>
    </message>
    <message>
        <source>The similarity layer {} can't be opened.</source>
        <translation>No se puede abrir la capa de similitud {}.</translation>
    </message>
    <message>
        <source>Find similar places</source>
        <translation>Buscar lugares similares</translation>
    </message>
    <message>
        <source>Click on the active SAR raster to see which places are similar; Ctrl+click adds a place</source>
        <translation>Hacer clic en el ráster SAR activo para ver qué lugares se parecen; Ctrl+clic añade un lugar</translation>
    </message>
    <message>
        <source>The layer has no field '{}'.</source>
        <translation>La capa no tiene ningún campo «{}».</translation>
    </message>
    <message>
        <source>Feature {id} can't be transformed to the CRS of the raster: {why}</source>
        <translation>El objeto espacial {id} no se puede transformar al SRC del ráster: {why}</translation>
    </message>
    <message>
        <source>Output '{output}' of SAR Land Cover (DINO) from {input}.</source>
        <translation>Salida «{output}» de SAR Land Cover (DINO) a partir de {input}.</translation>
    </message>
    <message>
        <source>{date}: made by SAR Land Cover (DINO) {version} with the model {model} (weights SHA-256 {sha}).</source>
        <translation>{date}: creado por SAR Land Cover (DINO) {version} con el modelo {model} (SHA-256 de los pesos: {sha}).</translation>
    </message>
    <message>
        <source>{date}: made by SAR Land Cover (DINO) {version}.</source>
        <translation>{date}: creado por SAR Land Cover (DINO) {version}.</translation>
    </message>
    <message>
        <source>little attention</source>
        <translation>poca atención</translation>
    </message>
    <message>
        <source>much attention</source>
        <translation>mucha atención</translation>
    </message>
    <message>
        <source>holds the attention of this head</source>
        <translation>reúne la atención de esta cabeza</translation>
    </message>
    <message>
        <source>unlike the place</source>
        <translation>distinto del lugar</translation>
    </message>
    <message>
        <source>like the place</source>
        <translation>parecido al lugar</translation>
    </message>
    <message>
        <source>{given} stands for several files, not for one raster: {names}. Give one file of the scene as SAR raster, and its others, if there are any, as Further rasters of the scene.</source>
        <translation>{given} representa varios archivos, no un ráster: {names}. Indicar un archivo de la escena como Ráster SAR, y los demás, si los hay, como Otros rásteres de la escena.</translation>
    </message>
    <message>
        <source>The layer '{name}' comes from '{provider}', not from a raster file. Web services give pictures, not backscatter, and exporting a picture doesn't change that: download the scene as a file, with the values of VV and VH, and use that.</source>
        <translation>La capa «{name}» procede de «{provider}», no de un archivo ráster. Los servicios web ofrecen imágenes, no retrodispersión, y exportar una imagen no lo cambia: descargar la escena como archivo, con los valores de VV y VH, y usarlo.</translation>
    </message>
    <message>
        <source>Open options of the layer are not used: {}</source>
        <translation>No se usan las opciones de apertura de la capa: {}</translation>
    </message>
    <message>
        <source>The layer '{}' exists only in the memory of QGIS. Save it to a file, and use that.</source>
        <translation>La capa «{}» solo existe en la memoria de QGIS. Guardarla en un archivo y usar este.</translation>
    </message>
    <message>
        <source>The CRS of the layer ({layer}) differs from that of its file ({file}); results get the file's CRS.</source>
        <translation>El SRC de la capa ({layer}) difiere del de su archivo ({file}); los resultados llevan el del archivo.</translation>
    </message>
    <message>
        <source>custom</source>
        <translation>personalizado</translation>
    </message>
    <message>
        <source>The extent {wanted} does not overlap the layer '{name}' ({has}). Choose another one, or none.</source>
        <translation>La extensión {wanted} no se solapa con la capa «{name}» ({has}). Elegir otra, o ninguna.</translation>
    </message>
    <message>
        <source>Point features without a geometry in the CRS of the raster, left out: {}.</source>
        <translation>Puntos excluidos por no tener geometría en el SRC del ráster: {}.</translation>
    </message>
    <message>
        <source>This folder has no readable card.json. Remove the model, or copy its folder again.</source>
        <translation>Esta carpeta no tiene un card.json legible. Quitar el modelo, o copiar de nuevo su carpeta.</translation>
    </message>
    <message>
        <source>Trained on</source>
        <translation>Entrenado con</translation>
    </message>
    <message>
        <source>The card doesn't say.</source>
        <translation>La ficha no lo dice.</translation>
    </message>
    <message>
        <source>Limits</source>
        <translation>Limitaciones</translation>
    </message>
    <message>
        <source>Accuracy</source>
        <translation>Exactitud</translation>
    </message>
    <message>
        <source>Classes</source>
        <translation>Clases</translation>
    </message>
    <message>
        <source>Input</source>
        <translation>Entrada</translation>
    </message>
    <message>
        <source>Licence</source>
        <translation>Licencia</translation>
    </message>
    <message>
        <source>The card names none.</source>
        <translation>La ficha no indica ninguna.</translation>
    </message>
    <message>
        <source>There is no model or folder named {}.</source>
        <translation>No hay ningún modelo ni ninguna carpeta con el nombre {}.</translation>
    </message>
    <message>
        <source>… and {} more in card.json</source>
        <translation>… y {} más en card.json</translation>
    </message>
    <message>
        <source>The card states no limits. Check maps at places that you know.</source>
        <translation>La ficha no indica limitaciones. Comprobar los mapas en lugares conocidos.</translation>
    </message>
    <message>
        <source>It needs these bands: {}.</source>
        <translation>Necesita estas bandas: {}.</translation>
    </message>
    <message>
        <source>It is made for pixels of {} m. Others are resampled; coarser ones give less accurate maps.</source>
        <translation>Está hecho para píxeles de {} m. Los demás se remuestrean; los más gruesos dan mapas menos exactos.</translation>
    </message>
    <message>
        <source>linear power</source>
        <translation>potencia lineal</translation>
    </message>
    <message>
        <source>Backscatter convention {product}, pixels of {metres} m, tiles of {tile} and patches of {patch} pixels.</source>
        <translation>Convención de retrodispersión {product}, píxeles de {metres} m, teselas de {tile} y parches de {patch} píxeles.</translation>
    </message>
    <message>
        <source>Band</source>
        <translation>Banda</translation>
    </message>
    <message>
        <source>Unit</source>
        <translation>Unidad</translation>
    </message>
    <message>
        <source>Range</source>
        <translation>Intervalo</translation>
    </message>
    <message>
        <source>The card gives no figures: the accuracy of this model is unknown.</source>
        <translation>La ficha no da cifras: la exactitud de este modelo se desconoce.</translation>
    </message>
    <message>
        <source>card.json contains more detailed figures.</source>
        <translation>card.json contiene cifras más detalladas.</translation>
    </message>
    <message>
        <source>Bundled model</source>
        <translation>Modelo incluido</translation>
    </message>
    <message>
        <source>Load sample scene</source>
        <translation>Cargar escena de ejemplo</translation>
    </message>
    <message>
        <source>Models…</source>
        <translation>Modelos…</translation>
    </message>
    <message>
        <source>Set up backend…</source>
        <translation>Configurar el motor…</translation>
    </message>
    <message>
        <source>Choose Python interpreter…</source>
        <translation>Elegir el intérprete de Python…</translation>
    </message>
    <message>
        <source>Diagnostics…</source>
        <translation>Diagnóstico…</translation>
    </message>
    <message>
        <source>Help</source>
        <translation>Ayuda</translation>
    </message>
    <message>
        <source>Simulated sample scene</source>
        <translation>Escena de ejemplo simulada</translation>
    </message>
    <message>
        <source>Python interpreter of the backend's environment</source>
        <translation>Intérprete de Python del entorno del motor</translation>
    </message>
</context>
</TS>
